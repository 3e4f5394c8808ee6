"""Do jobs and their attempts tell one story?"""

from collections.abc import Iterator
from functools import partial

from django.db import transaction
from django.db.models import Count, Exists, F, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone

from contracts.job import ENDED
from whetstone.artifacts.models import Blob
from whetstone.jobs.models import Attempt, Event, Job
from whetstone.jobs.states import move
from whetstone.jobs.wake import wake_later
from whetstone.operations.finding import Finding, ranges

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
    trainings = Job.objects.filter(kind=Job.Kind.TRAINING, status=Job.Status.SUCCEEDED)
    for job in trainings.filter(trained=None, trained_deleted_at=None):
        advice = "Restore it from a backup, or clone the job."
        yield Finding("succeeded without model", job.id, "succeeded, and its model is gone", advice)


def jobs_without_files() -> Iterator[Finding]:
    """Jobs that are still to be trained, and whose model or data nobody could bring."""
    present = set(Blob.objects.values_list("team_id", "sha256"))
    for job in Job.objects.exclude(status__in=ENDED):
        if lost := [file.path for file in job.job_spec.files if (job.team_id, file.sha256) not in present]:
            what = f"reads files that nobody stored: {', '.join(lost)}"
            yield Finding("job lacks files", job.id, what, "Put them back from a backup; or cancel the job.")


def leases_of_nobody() -> Iterator[Finding]:
    for job in Job.objects.exclude(status=Job.Status.RUNNING).exclude(lease_until=None):
        what = f"has a lease until {job.lease_until}, and is {job.status}"
        yield Finding("lease without attempt", job.id, what, "Take it away.", partial(_end_lease, job.id))


def _end_lease(job_id: str) -> bool:
    left = Job.objects.exclude(status=Job.Status.RUNNING).exclude(lease_until=None)
    return left.filter(id=job_id).update(lease_until=None) == 1


def untold_states() -> Iterator[Finding]:
    """Every change of a state is an event: the last one says where the job stands."""
    told = Event.objects.filter(job=OuterRef("pk"), type="status").order_by("-number").values("data")[:1]
    for job in Job.objects.annotate(told=Subquery(told)):
        says = job.told["to"] if job.told else "nothing"
        if says != job.status:
            what = f"is {job.status}, and its last event of that kind says {says}"
            yield Finding("state that no event tells", job.id, what, "Somebody changed the database. Compare a backup.")


def missing_attempts() -> Iterator[Finding]:
    counted = Attempt.objects.filter(job=OuterRef("pk")).order_by().values("job").annotate(n=Count("id")).values("n")
    for job in Job.objects.annotate(tries=Coalesce(Subquery(counted), 0)).exclude(tries=F("attempt")):
        known = set(job.attempts.values_list("number", flat=True))
        lost = ranges(set(range(1, job.attempt + 1)) ^ known)
        what = f"is at attempt {job.attempt}, and attempt {lost} is missing or too many"
        yield Finding("attempt missing", job.id, what, "Its tries are counted wrong. Compare a backup.")
