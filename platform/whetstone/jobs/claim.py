"""How a worker comes to a job: a compare-and-set that only one of them can win."""

import secrets
from datetime import timedelta

from django.conf import settings
from django.db import transaction

from contracts.event import Claim, ResumePoint
from whetstone import clock
from whetstone.accounts.models import hash_of
from whetstone.artifacts.store import missing
from whetstone.jobs.answered import last_answered
from whetstone.jobs.checkpoints import damaged_steps
from whetstone.jobs.forget import forget
from whetstone.jobs.models import Attempt, Event, Job
from whetstone.jobs.states import append, move
from whetstone.modelhub.models import FILES
from whetstone.workers.models import Worker

STEPPED = ("metrics", "evaluation", "scores", "checkpoint", "rollouts")


@transaction.atomic
def claim(worker: str, pool: str, instance: str = "") -> Claim | None:
    """Give the worker the job of its pool that waits longest, or nothing."""
    waiting = Job.objects.filter(status=Job.Status.QUEUED, pool=pool).order_by("created_at", "id")
    job = waiting.select_for_update(skip_locked=True, of=("self",)).first()
    if job is None:
        return None
    resume = newest_checkpoint(job) if job.kind == Job.Kind.TRAINING else last_answered(job)
    token = secrets.token_urlsafe(32)
    job.attempt += 1
    job.lease_until = clock.now() + lease()
    job.step = resume.step if resume else 0
    job.save(update_fields=["attempt", "lease_until", "step"])
    who = Worker.objects.filter(name=worker).first()
    Attempt.objects.create(
        job=job,
        number=job.attempt,
        worker=who,
        instance=instance,
        token_hash=hash_of(token),
        from_step=job.step,
    )
    _supersede(job, resume)
    move(job, "running")
    append(job, "attempt", {"number": job.attempt, "worker": worker, "from_step": job.step})
    return Claim(
        attempt=job.attempt,
        token=token,
        lease_s=settings.ENVIRONMENT.lease_s,
        spec=job.job_spec,
        resume=resume,
        trained_tokens=_trained_tokens(job),
    )


def lease() -> timedelta:
    return timedelta(seconds=settings.ENVIRONMENT.lease_s)


def newest_checkpoint(job: Job) -> ResumePoint | None:
    """Where the next attempt goes on: the last checkpoint that was named, whose files are all in the store."""
    damaged = damaged_steps(job)
    for event in job.events.filter(type="checkpoint").order_by("-step"):
        files = FILES.validate_python(event.data["files"])
        if event.step is not None and event.step not in damaged and not missing(job.team, files):
            return ResumePoint(step=event.step, files=files)
    return None


def _trained_tokens(job: Job) -> int:
    """Tokens that went through the model up to the step that the attempt begins at."""
    told = job.events.filter(type="metrics", step=job.step).first()
    return int(told.data["values"].get("num_tokens", 0)) if told else 0


def _supersede(job: Job, resume: ResumePoint | None) -> None:
    """Forget what was told of steps that will be done again, so that every reader sees each step once."""
    told = Event.objects.filter(type__in=STEPPED)
    forget(job.id, told.filter(step__gt=resume.step) if resume else told)
