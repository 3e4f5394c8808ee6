"""The states a job can be in, and the one function that moves it from one to another."""

from contracts.fault import Fault, FaultReport
from contracts.job import ENDED, Status
from whetstone import clock
from whetstone.jobs.models import Attempt, Event, Job
from whetstone.jobs.results import make_later

EDGES: dict[str, frozenset[Status]] = {
    "validating_files": frozenset({"queued", "failed", "cancelled"}),
    "queued": frozenset({"running", "paused", "cancelled", "failed"}),
    "running": frozenset({"queued", "paused", "succeeded", "failed", "cancelled"}),
    "paused": frozenset({"queued", "cancelled"}),
}


def append(job: Job, event_type: str, data: dict[str, object], step: int | None = None) -> None:
    """Let the platform itself say something in a job's stream. The caller holds the job's row lock."""
    job.last_event += 1
    job.save(update_fields=["last_event"])
    Event.objects.create(
        job=job,
        number=job.last_event,
        attempt=job.attempt,
        type=event_type,
        step=step,
        at=clock.now(),
        data=data,
    )


def move(job: Job, to: Status, reason: str = "", fault: FaultReport | None = None) -> None:
    """Take a job to another state and say so in its stream. The caller holds the job's row lock.

    Raises:
        Fault: job.not_possible, when no edge leads there.
    """
    if to not in EDGES.get(job.status, frozenset()):
        raise Fault("job.not_possible", status=job.status, wanted=to)
    before, now = job.status, clock.now()
    job.status, job.reason = to, reason
    job.fault = fault.model_dump(mode="json") if fault else None
    job.started_at = job.started_at or (now if to == "running" else None)
    job.finished_at = now if to in ENDED else None
    if to != "running":
        _release(job, to)
    job.save(
        update_fields=[
            "status",
            "reason",
            "fault",
            "started_at",
            "finished_at",
            "lease_until",
            "wish",
            "phase",
        ]
    )
    append(job, "status", {"from": before, "to": to, "reason": reason, "fault": job.fault})
    if to in ENDED and job.kind == Job.Kind.TRAINING:
        make_later(job)


def _release(job: Job, to: Status) -> None:
    job.lease_until, job.wish, job.phase = None, Job.Wish.NONE, ""
    Attempt.objects.filter(job=job, number=job.attempt, ended_at=None).update(ended_at=clock.now(), outcome=to)
