"""Do jobs, their attempts and their events tell one story?"""

from collections.abc import Iterator
from functools import partial
from itertools import pairwise

from django.db import transaction
from django.db.models import Count, Exists, F, OuterRef, Q
from django.utils import timezone

from whetstone.artifacts.models import Blob
from whetstone.jobs.models import Attempt, Event, Job
from whetstone.jobs.retention import FOR_A_WHILE, files_of
from whetstone.jobs.states import move
from whetstone.jobs.wake import wake_later
from whetstone.operations.finding import Finding

ONCE = ("metrics", "evaluation", "checkpoint")
HOLDER = Attempt.objects.filter(job=OuterRef("pk"), number=OuterRef("attempt"), ended_at=None)


def jobs_without_attempt() -> Iterator[Finding]:
    """Jobs that run and that nobody holds: they would run for ever."""
    for job in Job.objects.filter(Q(lease_until=None) | ~Exists(HOLDER), status=Job.Status.RUNNING):
        advice = "Queue it again: it goes on from its last checkpoint."
        yield Finding(
            "running without attempt", job.id, "runs, but no attempt holds it", advice, partial(_queue, job.id)
        )


@transaction.atomic
def _queue(job_id: str) -> bool:
    job = Job.objects.select_for_update(of=("self",)).get(id=job_id)
    if job.status != Job.Status.RUNNING or job.attempts.filter(number=job.attempt, ended_at=None).exists():
        return False
    move(job, "queued", reason="no attempt held it")
    wake_later(job)
    return True


def open_attempts() -> Iterator[Finding]:
    """Attempts that go on by themselves, though their job does not run or is held by another one."""
    for attempt in Attempt.objects.filter(_left_open()).select_related("job"):
        about = f"{attempt.job_id}, attempt {attempt.number}"
        what = f"has no end, though the job is {attempt.job.status} and its attempt is number {attempt.job.attempt}"
        yield Finding("attempt without end", about, what, "Enter its end.", partial(_end, attempt.pk))


def _left_open() -> Q:
    return Q(ended_at=None) & (~Q(job__status=Job.Status.RUNNING) | Q(number__lt=F("job__attempt")))


def _end(attempt_id: int) -> bool:
    left = Attempt.objects.filter(_left_open(), id=attempt_id).order_by().values("id")
    return Attempt.objects.filter(id__in=left).update(ended_at=timezone.now(), outcome="replaced") == 1


def jobs_without_model() -> Iterator[Finding]:
    for job in Job.objects.filter(status=Job.Status.SUCCEEDED, trained=None):
        advice = "Restore it from a backup, or clone the job."
        yield Finding("succeeded without model", job.id, "succeeded, and its model is gone", advice)


def broken_checkpoints() -> Iterator[Finding]:
    """Checkpoints that name what nobody stored: no attempt begins at them."""
    present = set(Blob.objects.values_list("team_id", "sha256"))
    checkpoints = Event.objects.filter(type="checkpoint").select_related("job").order_by("pk")
    for event in checkpoints.iterator():
        lost = [file["path"] for file in files_of(event.data) if (event.job.team_id, file["sha256"]) not in present]
        if lost:
            about = f"{event.job_id}, step {event.step}"
            what = f"names files that nobody stored: {', '.join(lost)}"
            advice = "Put the files back from a backup, or forget the checkpoint: the job has others, or begins anew."
            yield Finding("broken checkpoint", about, what, advice, partial(_forget, event.pk))


@transaction.atomic
def _forget(event_id: int) -> bool:
    return Event.objects.filter(id=event_id).delete()[0] == 1


def events_that_are_missing() -> Iterator[Finding]:
    """Numbers that no event has and that nothing explains, and events beyond the job's last number."""
    for job in Job.objects.annotate(told=Count("events")).exclude(told=F("last_event")):
        events = list(job.events.order_by("number").values_list("number", "type"))
        newest = events[-1][0] if events else 0
        if newest > job.last_event:
            what = f"has an event {newest}, and says that its last is {job.last_event}"
            mend = partial(_count_anew, job.id)
            yield Finding("event beyond the last", job.id, what, "Correct the job's number.", mend)
        if gaps := list(_gaps(job, events)):
            what = f"lacks the events {', '.join(gaps)}"
            yield Finding("gap in events", job.id, what, "Its curves may lack points. Compare with a backup.")


def _gaps(job: Job, events: list[tuple[int, str]]) -> Iterator[str]:
    """What an attempt does again is told again, and housekeeping forgets old checkpoints, rollouts and logs."""
    again = max((number for number, kind in events if kind == "attempt" and job.attempt > 1), default=0)
    oldest_checkpoint = min((number for number, kind in events if kind == "checkpoint"), default=0)
    were_forgotten = job.has_ended and not any(kind in FOR_A_WHILE for _, kind in events)
    numbers = [0, *(number for number, _ in events), job.last_event + 1]
    for before, after in pairwise(numbers):
        is_old_checkpoint = after - before == 2 and after <= oldest_checkpoint
        if after - before > 1 and after > again and not is_old_checkpoint and not were_forgotten:
            yield f"{before + 1} to {after - 1}" if after - before > 2 else str(before + 1)


@transaction.atomic
def _count_anew(job_id: str) -> bool:
    job = Job.objects.select_for_update(of=("self",)).get(id=job_id)
    newest = job.events.order_by("-number").values_list("number", flat=True).first() or 0
    return newest > job.last_event and Job.objects.filter(id=job_id).update(last_event=newest) == 1


def steps_told_twice() -> Iterator[Finding]:
    """A unique constraint forbids it: this finds a database that lost the constraint."""
    told = Event.objects.filter(type__in=ONCE).order_by().values("job_id", "type", "step")
    for row in told.annotate(times=Count("id")).filter(times__gt=1):
        what = f"tells of step {row['step']} ({row['type']}) {row['times']} times"
        advice = "Run `manage.py migrate` and look at the database: the constraint each_step_is_told_once is missing."
        yield Finding("step told twice", row["job_id"], what, advice)
