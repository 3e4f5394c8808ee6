"""How an attempt ends, and whether another one may do better."""

from django.conf import settings
from django.db import transaction
from django.db.models import F

from contracts.event import Release
from contracts.fault import FaultReport
from contracts.job import Status
from whetstone import clock
from whetstone.jobs.models import Attempt, Job
from whetstone.jobs.states import move
from whetstone.jobs.wake import wake_later

ALIKE = 3
"""A job that fails the same way at the same step so often will not do better the next time."""

WAITS_FOR_ROOM = ("worker.disk_full", "platform.disk_full")
"""Somebody can make room, and then the job goes on: it is paused instead of failed."""


def still_holds(attempt: int) -> bool:
    """Whether this attempt is the one that carries its job out right now."""
    running = Attempt.objects.filter(pk=attempt, ended_at=None, job__status=Job.Status.RUNNING)
    return running.filter(number=F("job__attempt")).exists()


def end_attempt(job: Job, fault: FaultReport) -> None:
    """An attempt failed: queue the job again when another attempt may do better, else the job has failed.

    The caller holds the job's row lock.
    """
    _remember(job, fault)
    if job.wish == Job.Wish.CANCEL:
        return move(job, "cancelled")
    if reason := _why_no_more(job, fault):
        to: Status = "paused" if fault.code in WAITS_FOR_ROOM else "failed"
        return move(job, to, reason=reason, fault=fault)
    reason = f"attempt {job.attempt} failed: {fault.code}"
    if job.wish == Job.Wish.PAUSE:
        return move(job, "paused", reason=reason)
    move(job, "queued", reason=reason)
    return wake_later(job)


def _remember(job: Job, fault: FaultReport) -> None:
    job.attempts.filter(number=job.attempt).update(
        ended_at=clock.now(), outcome=Job.Status.FAILED, fault=fault.model_dump(mode="json"), step=job.step
    )


def _why_no_more(job: Job, fault: FaultReport) -> str:
    """Empty while another attempt makes sense, else the reason why none follows."""
    if fault.cause not in ("platform", "capacity"):
        return fault.code
    failed = list(job.attempts.filter(outcome=Job.Status.FAILED).order_by("-number"))
    last = [(attempt.fault_code, attempt.step) for attempt in failed[:ALIKE]]
    if len(last) == ALIKE and len(set(last)) == 1:
        return f"{fault.code}, {ALIKE} times at step {job.step}"
    if fault.code == "job.out_of_memory" and last[:2] == [last[0]] * 2:
        return f"{fault.code}, twice at step {job.step}"
    of_this_cause = sum(attempt.cause == fault.cause for attempt in failed)
    if of_this_cause >= settings.ENVIRONMENT.attempts:
        return f"{fault.code}, after {of_this_cause} attempts"
    return ""


def release(given_up: Release) -> None:
    """A worker began anew and has proved that nothing of its former self lives: end what that one held."""
    held = Attempt.objects.filter(
        instance=given_up.instance, worker__name=given_up.worker, ended_at=None, job__status=Job.Status.RUNNING
    )
    for attempt_id, job_id in held.values_list("id", "job_id"):
        _release(attempt_id, job_id)


@transaction.atomic
def _release(attempt_id: int, job_id: str) -> None:
    job = Job.objects.select_for_update(of=("self",)).get(id=job_id)
    attempt = Attempt.objects.get(id=attempt_id)
    if job.status == Job.Status.RUNNING and job.attempt == attempt.number:
        end_attempt(job, FaultReport(code="job.worker_restarted"))
