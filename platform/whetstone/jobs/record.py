"""The one way a job changes while it runs: what its worker reports is written down, once."""

from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.db import transaction

from contracts.event import (
    AnswersScored,
    CheckpointSaved,
    Evaluated,
    Evaluation,
    Failed,
    Finished,
    LogLines,
    Metrics,
    Phase,
    Reply,
    Report,
    Stopped,
)
from contracts.fault import Fault
from contracts.job import Status
from whetstone import clock
from whetstone.accounts.models import hash_of
from whetstone.artifacts.store import missing
from whetstone.jobs.attempts import end_attempt
from whetstone.jobs.claim import lease
from whetstone.jobs.finish import keep_model, read_config
from whetstone.jobs.models import Attempt, Event, Job
from whetstone.jobs.promise import worked_s
from whetstone.jobs.states import move
from whetstone.jobs.wake import wake_later

REPLACED = Reply(order="replaced", lease_s=0)
FINAL = (Finished, Evaluated, Failed, Stopped)
WITH_FILES = (CheckpointSaved, Finished)
ONCE_A_STEP = (Metrics, Evaluation, AnswersScored, CheckpointSaved)
ONCE_A_STEP_TYPES = ("metrics", "evaluation", "scores", "checkpoint")
ANSWERS = {"rows", "scores", "tokens", "truncated", "failed", "skipped"}
STEPLESS = (Phase, LogLines, Failed)


def holder(job_id: str, token: str) -> Attempt | None:
    """The attempt that this token belongs to, if it still holds the job."""
    attempt = (
        Attempt.objects.select_related("job", "job__team").filter(token_hash=hash_of(token), job_id=job_id).first()
    )
    return attempt if attempt and _holds(attempt, attempt.job) else None


def _holds(attempt: Attempt, job: Job) -> bool:
    return job.status == Job.Status.RUNNING and job.attempt == attempt.number


def record(job_id: str, token: str, reports: tuple[Report, ...], sent_at: float | None = None) -> Reply:
    """Write down a batch of reports and renew the lease. `sent_at`: the worker's clock (Unix time) as it sent them.

    A report that was recorded before changes nothing. An attempt that no longer holds the job is told so.

    Raises:
        Fault: auth.invalid, when the token is of another job; request.invalid, when a file that is named as stored
            is not in the store. Nothing of the batch was written down.
    """
    attempt = Attempt.objects.select_related("job__team").filter(token_hash=hash_of(token), job_id=job_id).first()
    if attempt is None:
        raise Fault("auth.invalid")
    last = reports[-1].event if reports else None
    config = read_config(attempt.job.team, last.files) if isinstance(last, Finished) else None
    ahead_s = 0.0 if sent_at is None else sent_at - clock.now().timestamp()
    return _record(attempt.id, reports, ahead_s, config)


@transaction.atomic
def _record(attempt_id: int, reports: tuple[Report, ...], ahead_s: float, config: dict[str, Any] | None) -> Reply:
    rows = Job.objects.select_for_update(of=("self",)).select_related("team", "base", "created_by")
    job = rows.get(attempts=attempt_id)
    attempt = Attempt.objects.get(id=attempt_id)  # as it is under the job's lock
    if not _holds(attempt, job):
        return REPLACED
    fresh = [report for report in reports if report.seq > attempt.last_seq]
    _write(job, attempt, fresh, ahead_s)
    job.lease_until = clock.now() + lease()
    job.save(update_fields=["lease_until", "last_event", "step", "phase"])
    last = fresh[-1].event if fresh else None
    if isinstance(last, FINAL):
        _end(job, last, config)
    return _reply(job)


def _write(job: Job, attempt: Attempt, reports: list[Report], ahead_s: float) -> None:
    if not reports:
        return
    _check_files(job, reports)
    news = _untold(job, reports)
    numbered = enumerate(news, start=job.last_event + 1)
    Event.objects.bulk_create([_event(job, attempt, report, number, ahead_s) for number, report in numbered])
    job.last_event += len(news)
    attempt.last_seq = reports[-1].seq
    attempt.save(update_fields=["last_seq"])
    for report in news:
        if isinstance(report.event, Metrics):
            job.step = max(job.step, report.event.step)
            job.phase = "training" if job.kind == Job.Kind.TRAINING else "evaluating"
        if isinstance(report.event, Phase):
            job.phase = report.event.name


def _check_files(job: Job, reports: list[Report]) -> None:
    """What a checkpoint or a model consists of must be in the store before it is named."""
    files = [file for report in reports if isinstance(report.event, WITH_FILES) for file in report.event.files]
    if files and (lost := missing(job.team, files)):
        raise Fault("request.invalid", detail=f"{lost[0].path} is not in the artifact store")


def _untold(job: Job, reports: list[Report]) -> list[Report]:
    """The reports without steps that were told before: each is told once."""
    keys = [(r.event.type, r.event.step) if isinstance(r.event, ONCE_A_STEP) else None for r in reports]
    steps = {key[1] for key in keys if key}
    told: set[tuple[str, int | None] | None] = set()
    if steps:
        events = job.events.filter(type__in=ONCE_A_STEP_TYPES, step__in=steps)
        told = set(events.order_by().values_list("type", "step"))
    news = []
    for key, report in zip(keys, reports, strict=True):
        if key is None or key not in told:
            news.append(report)
            told.add(key)
    return news


def _event(job: Job, attempt: Attempt, report: Report, number: int, ahead_s: float) -> Event:
    data = report.event.model_dump(mode="json", exclude={"type", "step"})
    rows = data.pop("rows", None) if isinstance(report.event, Evaluation) else None
    if isinstance(report.event, AnswersScored):
        rows = {name: data.pop(name) for name in ANSWERS}
        data["answers"] = len(report.event.rows)
    return Event(
        job=job,
        number=number,
        attempt=attempt.number,
        seq=report.seq,
        type=report.event.type,
        step=None if isinstance(report.event, STEPLESS) else report.event.step,
        at=datetime.fromtimestamp(max(0.0, report.at - ahead_s), UTC),
        data=data,
        rows=rows or None,
    )


def _end(job: Job, event: Finished | Evaluated | Failed | Stopped, config: dict[str, Any] | None) -> None:
    if isinstance(event, Finished):
        _succeed(job, event, config)
    elif isinstance(event, Evaluated):
        job.peak_memory, job.worked_seconds = event.peak_memory, worked_s(job)
        job.save(update_fields=["peak_memory", "worked_seconds"])
        move(job, "succeeded")
    elif isinstance(event, Stopped):
        move(job, "paused" if job.wish == Job.Wish.PAUSE else "cancelled" if job.wish else "queued")
        if job.status == Job.Status.QUEUED:
            wake_later(job)
    else:
        end_attempt(job, event.fault)


def _succeed(job: Job, event: Finished, config: dict[str, Any] | None) -> None:
    job.trained, job.trained_tokens = keep_model(job, event, config), event.trained_tokens
    job.peak_memory, job.worked_seconds = event.peak_memory, worked_s(job)
    job.save(update_fields=["trained", "trained_tokens", "peak_memory", "worked_seconds"])
    move(job, "succeeded")


def _reply(job: Job) -> Reply:
    orders = {Job.Wish.CANCEL: "cancel", Job.Wish.PAUSE: "pause"}
    order = orders.get(Job.Wish(job.wish), "go_on")
    return Reply.model_validate({"order": order, "lease_s": settings.ENVIRONMENT.lease_s})


@transaction.atomic
def ask(job_id: str, wish: Job.Wish) -> Job:
    """Cancel or pause: at once when the job only waits, with the worker's next report when it runs.

    Raises:
        Fault: job.already_ended, job.not_possible.
    """
    job = Job.objects.select_for_update(of=("self",)).get(id=job_id)
    if job.has_ended:
        raise Fault("job.already_ended", status=job.status)
    if wish == Job.Wish.PAUSE and job.wish == Job.Wish.CANCEL:
        raise Fault("job.not_possible", status="cancelled", wanted="paused")
    if job.status == Job.Status.RUNNING:
        job.wish = wish
        job.save(update_fields=["wish"])
        return job
    to: Status = "cancelled" if wish == Job.Wish.CANCEL else "paused"
    move(job, to)
    return job


@transaction.atomic
def resume(job_id: str) -> Job:
    """Put a paused job back into the queue. Raises Fault job.not_possible when it is not paused."""
    job = Job.objects.select_for_update(of=("self",)).get(id=job_id)
    move(job, "queued")
    wake_later(job)
    return job
