"""Is everything there that the jobs have told, and once?"""

from collections.abc import Iterator
from functools import partial

from django.db import transaction
from django.db.models import Count, F, Max, OuterRef, Subquery
from django.db.models.functions import Coalesce

from whetstone.artifacts.models import Blob
from whetstone.jobs.forget import forget
from whetstone.jobs.models import Attempt, Event, Job
from whetstone.jobs.retention import files_of
from whetstone.operations.finding import Finding, ranges

ONCE = ("metrics", "evaluation", "scores", "checkpoint")


def broken_checkpoints() -> Iterator[Finding]:
    """Checkpoints that name no file, or one that nobody stored: no attempt begins at them."""
    for event, lost in _lacking("checkpoint"):
        what = f"names files that nobody stored: {lost}" if lost else "names no file"
        advice = "Put the files back from a backup, or forget the checkpoint: the job has others, or begins anew."
        yield Finding("broken checkpoint", _place(event), what, advice, partial(_forget, event.pk))


def broken_rollouts() -> Iterator[Finding]:
    """Parts of the rollouts that no page can show."""
    for event, lost in _lacking("rollouts"):
        what = f"are in a file that nobody stored: {lost}"
        advice = "Put the file back from a backup, or forget them: the curves do not need them."
        yield Finding("rollouts without file", _place(event), what, advice, partial(_forget, event.pk))


def _lacking(kind: str) -> Iterator[tuple[Event, str]]:
    present = set(Blob.objects.values_list("team_id", "sha256"))
    for event in Event.objects.filter(type=kind).select_related("job").order_by("pk").iterator():
        files = files_of(event.data)
        lost = [file["path"] for file in files if (event.job.team_id, file["sha256"]) not in present]
        if lost or not files:
            yield event, ", ".join(lost)


def _place(event: Event) -> str:
    return f"{event.job_id}, step {event.step}"


@transaction.atomic
def _forget(event_id: int) -> bool:
    event = Event.objects.filter(id=event_id).first()
    return event is not None and forget(event.job_id, Event.objects.filter(id=event_id)) == 1


def missing_events() -> Iterator[Finding]:
    """Numbers are given without a gap, and what is taken back is counted: the rest must be there."""
    told = Event.objects.filter(job=OuterRef("pk")).order_by().values("job")
    jobs = Job.objects.annotate(
        told=Coalesce(Subquery(told.annotate(n=Count("id")).values("n")), 0),
        newest=Coalesce(Subquery(told.annotate(n=Max("number")).values("n")), 0),
    )
    for job in jobs.exclude(told=F("last_event") - F("forgotten_events"), newest__lte=F("last_event")):
        if job.newest > job.last_event:
            what = f"has an event {job.newest}, and says that its last is {job.last_event}"
            yield Finding("event beyond the last", job.id, what, "Correct the number.", partial(_count_anew, job.id))
        elif job.told > job.last_event - job.forgotten_events:
            what = (
                f"has {job.told} events, and counts {job.last_event} less {job.forgotten_events} that were taken back"
            )
            yield Finding("events counted wrong", job.id, what, "Count anew.", partial(_count_anew, job.id))
        else:
            yield _gap(job, job.last_event - job.forgotten_events - job.told)


def _gap(job: Job, lost: int) -> Finding:
    known = set(job.events.values_list("number", flat=True))
    absent = ranges(set(range(1, job.last_event + 1)) - known)
    what = f"lacks {lost} of its events, of the numbers {absent}; {job.forgotten_events} were taken back as they should"
    return Finding("gap in events", job.id, what, "Something deleted them. Compare with a backup.")


@transaction.atomic
def _count_anew(job_id: str) -> bool:
    job = Job.objects.select_for_update(of=("self",)).get(id=job_id)
    newest = job.events.order_by("-number").values_list("number", flat=True).first() or 0
    last = max(newest, job.last_event)
    counted = {"last_event": last, "forgotten_events": min(job.forgotten_events, last - job.events.count())}
    return Job.objects.filter(id=job_id).exclude(**counted).update(**counted) == 1


def missing_steps() -> Iterator[Finding]:
    """A curve has every step up to the one that its job has reached, and up to its newest checkpoint."""
    for job in Job.objects.all():
        told = {step or 0 for step in job.events.filter(type="metrics").values_list("step", flat=True)}
        saved = job.events.filter(type="checkpoint").aggregate(newest=Max("step"))["newest"] or 0
        last = max(told, default=0)
        if lost := set(range(1, max(job.step, saved, last) + 1)) - told:
            what = f"is at step {job.step}, and lacks the metrics of steps {ranges(lost)}"
            yield Finding("steps missing", job.id, what, "Its curves lack points. Compare with a backup.")
        elif last > job.step:
            what = f"has metrics up to step {last}, and says that it is at step {job.step}"
            yield Finding("metrics beyond the step", job.id, what, "Correct the step.", partial(_step_anew, job.id))


@transaction.atomic
def _step_anew(job_id: str) -> bool:
    job = Job.objects.select_for_update(of=("self",)).get(id=job_id)
    last = job.events.filter(type="metrics").aggregate(newest=Max("step"))["newest"] or 0
    return Job.objects.filter(id=job_id, step__lt=last).update(step=last) == 1


def forgotten_reports() -> Iterator[Finding]:
    """An attempt that does not know what it has told would be believed a second time."""
    for attempt, newest in _forgetful():
        about = f"{attempt.job_id}, attempt {attempt.number}"
        what = f"has told report {newest}, and says that its last was {attempt.last_seq}"
        yield Finding("report beyond the last", about, what, "Correct the number.", partial(_remind, attempt.pk))


def _forgetful() -> Iterator[tuple[Attempt, int]]:
    told = Event.objects.filter(job=OuterRef("job"), attempt=OuterRef("number")).order_by().values("job")
    newest = Subquery(told.annotate(n=Max("seq")).values("n"))
    for attempt in Attempt.objects.annotate(newest=newest).filter(newest__gt=F("last_seq")):
        yield attempt, attempt.newest


@transaction.atomic
def _remind(attempt_id: int) -> bool:
    attempt = Attempt.objects.get(id=attempt_id)
    Job.objects.select_for_update(of=("self",)).get(id=attempt.job_id)
    told = Event.objects.filter(job_id=attempt.job_id, attempt=attempt.number)
    newest = told.aggregate(newest=Max("seq"))["newest"] or 0
    return Attempt.objects.filter(id=attempt_id, last_seq__lt=newest).update(last_seq=newest) == 1


def steps_told_twice() -> Iterator[Finding]:
    """A unique constraint forbids it: this finds a database that lost the constraint."""
    told = Event.objects.filter(type__in=ONCE).order_by().values("job_id", "type", "step")
    for row in told.annotate(times=Count("id")).filter(times__gt=1):
        what = f"tells of step {row['step']} ({row['type']}) {row['times']} times"
        advice = "Run `manage.py migrate` and look at the database: the constraint each_step_is_told_once is missing."
        yield Finding("step told twice", row["job_id"], what, advice)
