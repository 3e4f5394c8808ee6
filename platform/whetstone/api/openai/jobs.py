"""`/v1/fine_tuning/jobs`: training jobs in OpenAI's form."""

import math
from collections.abc import AsyncIterator
from typing import Annotated

import orjson
from django.db import connection
from django.db.models import BooleanField, QuerySet
from django.db.models.expressions import RawSQL
from django.http import HttpRequest, HttpResponseBase
from django.utils import translation
from ninja import Query, Router

from contracts.fault import Fault
from whetstone.api.answers import Page
from whetstone.api.bodies import event_stream
from whetstone.api.caller import caller
from whetstone.api.openai.draft import OpenAIDraft
from whetstone.api.openai.events import Events
from whetstone.api.openai.numbers import MEASURED, Known, known_of
from whetstone.api.openai.objects import checkpoint_json, job_json
from whetstone.api.openai.pages import as_page, page
from whetstone.api.openai.schema import CheckpointJson, EventJson, JobJson
from whetstone.jobs.checkpoints import checkpoints_of
from whetstone.jobs.kinds import trainings
from whetstone.jobs.launch import launch
from whetstone.jobs.models import Job
from whetstone.jobs.record import ask, resume
from whetstone.jobs.tail import Watch, follow, told

router = Router(tags=["fine-tuning"])


@router.post("")
def create(request: HttpRequest, draft: OpenAIDraft) -> JobJson:
    who = caller(request)
    return job_json(launch(who.user, who.team, draft))


@router.get("")
def list_jobs(
    request: HttpRequest, after: str | None = None, limit: Annotated[int, Query(ge=1, le=100)] = 20
) -> Page[JobJson]:
    wanted = {
        key.removeprefix("metadata[").removesuffix("]"): str(value)
        for key, value in request.GET.items()
        if key.startswith("metadata[")
    }
    rows = _jobs(request)
    for key, value in wanted.items():
        rows = rows.filter(_has_metadata(key, value))
    return page(rows, job_json, after=after, limit=limit)


def _has_metadata(key: str, value: str) -> RawSQL:
    """Holds for jobs with this very pair. Not `metadata__<key>`: Django would read `a__regex` as a look-up."""
    each = "jsonb_each_text" if connection.vendor == "postgresql" else "json_each"
    pairs = f"SELECT 1 FROM {each}(jobs_job.metadata) AS pair WHERE pair.key = %s AND pair.value = %s"
    return RawSQL(f"EXISTS ({pairs})", (key, value), BooleanField())


@router.get("/{job_id}")
def retrieve(request: HttpRequest, job_id: str) -> JobJson:
    return job_json(find_job(request, job_id))


@router.post("/{job_id}/cancel")
def cancel(request: HttpRequest, job_id: str) -> JobJson:
    ask(find_job(request, job_id).id, Job.Wish.CANCEL)
    return job_json(find_job(request, job_id))


@router.post("/{job_id}/pause")
def pause(request: HttpRequest, job_id: str) -> JobJson:
    ask(find_job(request, job_id).id, Job.Wish.PAUSE)
    return job_json(find_job(request, job_id))


@router.post("/{job_id}/resume")
def resume_job(request: HttpRequest, job_id: str) -> JobJson:
    resume(find_job(request, job_id).id)
    return job_json(find_job(request, job_id))


@router.get("/{job_id}/events")
def events(
    request: HttpRequest,
    job_id: str,
    after: str | None = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 20,
    stream: bool = False,
) -> Page[EventJson] | HttpResponseBase:
    """Newest first; `after` is the id of the last event seen. With `stream=true` as they come, oldest first, until the
    job has ended: server-sent events in the client's form, `[DONE]` at the end, and `limit` does not count."""
    job = find_job(request, job_id)
    number = _number_in(after) if after is not None else None
    if stream:
        return event_stream(_lines(job, number or 0, translation.get_language()))
    rows = job.events.order_by("-number")
    found = told((rows.filter(number__lt=number) if number is not None else rows)[: limit + 1])
    as_theirs, known = Events(job), known_of(job, found)
    return as_page([as_theirs.json(event, known) for event in found[:limit]], has_more=len(found) > limit)


async def _lines(job: Job, after: int, language: str | None) -> AsyncIterator[bytes]:
    as_theirs, known = Events(job), Known()
    async for events in follow(job.id, after):
        lines = []
        for event in events:
            if event.type in MEASURED and event.step is not None:
                known = {key: value for key, value in known.items() if key[1] == event.step}
                known[(event.type, event.step)] = event.data["values"]
            with translation.override(language):
                lines.append(b"data: " + orjson.dumps(as_theirs.json(event, known)) + b"\n\n")
        yield b"".join(lines) or b": still here\n\n"
    if not Watch.are_closing:
        yield b"data: [DONE]\n\n"


def _number_in(event_id: str) -> int:
    number = event_id.rpartition("-")[2]
    if not (number.isascii() and number.isdecimal() and len(number) < 19):
        raise Fault("request.invalid", field="after", detail=f"There is no event with the id “{event_id}”.")
    return int(number)


@router.get("/{job_id}/checkpoints")
def checkpoints(
    request: HttpRequest, job_id: str, after: str | None = None, limit: Annotated[int, Query(ge=1, le=100)] = 10
) -> Page[CheckpointJson]:
    """Newest first: the newest ones, and the one that did best on held-out data."""
    job = find_job(request, job_id)
    before = math.inf if after is None else _number_in(after)
    rows = [one for one in checkpoints_of(job) if one.step < before]
    told = job.events.filter(type="metrics", step__in=[one.step for one in rows[:limit]])
    metrics = {step: told["values"] for step, told in told.values_list("step", "data")}
    data = [checkpoint_json(job, one, metrics.get(one.step, {})) for one in rows[:limit]]
    return as_page(data, has_more=len(rows) > limit)


def _jobs(request: HttpRequest) -> QuerySet[Job]:
    return trainings(caller(request).team).select_related("team", "base", "trained", "result_file__blob")


def find_job(request: HttpRequest, job_id: str) -> Job:
    """The team's job of this id. Raises Fault job.not_found."""
    job = _jobs(request).filter(id=job_id).first()
    if job is None:
        raise Fault("job.not_found", field="job_id", job=job_id)
    return job
