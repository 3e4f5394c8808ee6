"""Jobs as the pages need them: checked before they exist, and watched while they run."""

from collections.abc import AsyncIterator
from typing import Annotated, Any

import orjson
from django.http import HttpRequest, HttpResponseBase
from ninja import Query, Router
from typing_extensions import TypedDict  # Pydantic reads no other before Python 3.12

from contracts.estimate import GB, Fit
from contracts.fault import Fault
from contracts.job import JobDraft
from contracts.method import canonical
from whetstone.accounts.scope import owned
from whetstone.api.answers import described
from whetstone.api.bodies import event_stream
from whetstone.api.caller import caller
from whetstone.api.errors import ErrorJson, fault_json
from whetstone.api.native.promise_objects import CostJson, TimeJson, cost_json, time_json
from whetstone.api.openai.jobs import find_job
from whetstone.jobs.check import Checked, check
from whetstone.jobs.evaluations import Measure, evaluations_of, measures_of, valid_name
from whetstone.jobs.headline import headline_of
from whetstone.jobs.models import Job
from whetstone.jobs.rollouts import Order, Rollouts, rollouts
from whetstone.jobs.series import Series, series
from whetstone.jobs.tail import ToldEvent, Watch, as_json, follow

router = Router(tags=["jobs"])
LARGEST = 2**31 - 1


@described
class Preview(TypedDict):
    method: str
    model: str | None
    rows: int | None
    """As the method counts them: a pair may be two."""
    held_out_rows: int | None
    steps: int | None
    memory_gb: float | None
    """About what a machine of the pool needs to carry it out."""
    memory_error: float | None
    """How far the estimate was off, in the middle, for the last jobs of this method in this pool, like 0.08. Null
    while fewer than three have been measured. They correct it."""
    memory_jobs: int
    """How many have been measured."""
    time: TimeJson | None
    """Null where no machine of the pool is alive, and for models of which nobody can say."""
    cost: CostJson | None
    """Null for a pool without a price."""
    pool: str | None
    pool_memory_gb: float | None
    """What the least of its machines has: a GPU's memory where there are GPUs."""
    fit: Fit | None
    changed: int
    """Hyperparameters that are not at their defaults."""


@described
class CheckedJson(TypedDict):
    ready: bool
    problems: list[ErrorJson]
    warnings: list[ErrorJson]
    """What a person should know and may still want."""
    preview: Preview
    draft: dict[str, Any]  # Any: a draft's JSON
    """The body that creates this job."""
    resolved: dict[str, Any] | None  # Any: a method's JSON
    """The method with a number in every place. Null while model or dataset are missing."""


@router.post("/check")
def check_draft(request: HttpRequest, draft: JobDraft) -> CheckedJson:
    """Everything the page says before a job is created, and the exact JSON that would create it."""
    found = check(caller(request).team, draft)
    return {
        "ready": not found.problems,
        "problems": [fault_json(problem) for problem in found.problems],
        "warnings": [fault_json(warning) for warning in found.warnings],
        "preview": _preview(found),
        "draft": draft.model_dump(mode="json", exclude_unset=True),
        "resolved": found.method.model_dump(mode="json", exclude_none=True) if found.method else None,
    }


def _preview(found: Checked) -> Preview:
    place = found.place
    return {
        "method": canonical(found.draft.method).type,
        "model": found.model.name if found.model else None,
        "rows": found.rows or (found.training.rows if found.training else None),
        "held_out_rows": found.held_out_rows or (found.validation.rows if found.validation else None),
        "steps": found.steps or None,
        "memory_gb": place.memory_gb if place else None,
        "memory_error": round(place.correction.error, 3) if place and place.correction.error is not None else None,
        "memory_jobs": place.correction.jobs if place else 0,
        "time": time_json(place) if place else None,
        "cost": cost_json(place) if place else None,
        "pool": place.pool.name if place else None,
        "pool_memory_gb": round(place.pool.memory / GB, 1) if place and place.pool.memory else None,
        "fit": place.fit if place else None,
        "changed": _changed(found.draft),
    }


def _changed(draft: JobDraft) -> int:
    """How many hyperparameters differ from their defaults."""
    h = canonical(draft.method).hyperparameters
    defaults = type(h)()
    return sum(getattr(h, name) != getattr(defaults, name) for name in type(h).model_fields)


@router.get("/{job_id}/series")
def job_series(request: HttpRequest, job_id: str, max_points: Annotated[int, Query(ge=10, le=20000)] = 1000) -> Series:
    return series(_of_any_kind(request, job_id), max_points)


@described
class Told(TypedDict):
    """One evaluation."""

    step: int
    at: float
    """Unix time, in seconds."""
    values: dict[str, float]


@described
class MeasureJson(TypedDict):
    """One number of the last evaluation, or how far it moved; and how sure it is, where the rows say so."""

    name: str
    value: float
    step: int
    low: float | None
    high: float | None
    method: str | None
    """`wilson`, `t` or `paired_bootstrap`."""
    rows: int | None
    """Held-out rows that it is the mean of."""


@described
class EvaluationsJson(TypedDict):
    job: str
    status: str
    headline: str | None
    """The name of the number by which checkpoints are compared."""
    confidence: float
    evaluations: list[Told]
    measures: list[MeasureJson]


@router.get("/{job_id}/evaluations")
def job_evaluations(
    request: HttpRequest, job_id: str, confidence: Annotated[float, Query(ge=0.5, le=0.999)] = 0.95
) -> EvaluationsJson:
    """What the held-out rows said, and confidence intervals of the last evaluation.

    `valid_*` are its numbers. `delta_vs_start` is how much better the headline is than before the training (higher is
    better, also of a loss), `delta_valid_*` how far each number moved: of the same rows, so row by row.
    """
    job = find_job(request, job_id)
    told = evaluations_of(job)
    headline = headline_of(job.method, [one.values for one in told])
    return {
        "job": job.id,
        "status": job.status,
        "headline": valid_name(headline.key) if headline else None,
        "confidence": confidence,
        "evaluations": [{"step": one.step, "at": one.at.timestamp(), "values": one.values} for one in told],
        "measures": [_measure(one) for one in measures_of(told, headline, confidence)],
    }


def _measure(found: Measure) -> MeasureJson:
    interval = found.interval
    return {
        "name": found.name,
        "value": found.value,
        "step": found.step,
        "low": interval.low if interval else None,
        "high": interval.high if interval else None,
        "method": interval.method if interval else None,
        "rows": found.rows,
    }


@router.get("/{job_id}/rollouts")
def job_rollouts(
    request: HttpRequest,
    job_id: str,
    step: Annotated[int | None, Query(ge=0, le=LARGEST)] = None,
    order: Order = "newest",
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
    offset: Annotated[int, Query(ge=0, le=LARGEST)] = 0,
) -> Rollouts:
    return rollouts(_of_any_kind(request, job_id), step=step, order=order, limit=limit, offset=offset)


@router.get("/{job_id}/live")
def live(request: HttpRequest, job_id: str, after: Annotated[int, Query(ge=0, le=LARGEST)] = 0) -> HttpResponseBase:
    """Events as they come, as server-sent events. `Last-Event-ID` wins over `after`."""
    job = _of_any_kind(request, job_id)
    last = request.headers.get("Last-Event-ID", "")
    seen = int(last) if last.isdecimal() and len(last) < 19 else after
    return event_stream(_sse(job.id, seen))


async def _sse(job_id: str, after: int) -> AsyncIterator[bytes]:
    yield b"retry: 1000\n\n"
    async for events in follow(job_id, after):
        yield b"".join(map(_message, events)) or b": still here\n\n"
    if not Watch.are_closing:  # else the job goes on, and the browser comes back to the next web process
        yield b"event: end\ndata: {}\n\n"


def _message(event: ToldEvent) -> bytes:
    return f"id: {event.number}\nevent: {event.type}\ndata: ".encode() + orjson.dumps(as_json(event)) + b"\n\n"


def _of_any_kind(request: HttpRequest, job_id: str) -> Job:
    """A training, or an evaluation: both are watched in one way. Raises Fault job.not_found."""
    job = owned(Job, caller(request).team).select_related("team").filter(id=job_id).first()
    if job is None:
        raise Fault("job.not_found", field="job_id", job=job_id)
    return job
