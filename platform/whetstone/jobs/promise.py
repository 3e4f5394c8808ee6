"""What was said of a job before it was created, and what it really took."""

from django.conf import settings
from django.db.models import Max

from contracts import Contract
from whetstone import clock
from whetstone.jobs.models import Job
from whetstone.jobs.place import HOUR_S, Place

KEPT = ("metrics", "evaluation", "scores", "checkpoint", "rollouts")


class Promise(Contract):
    """As past jobs had corrected it. Kept with the job: prices and corrections change."""

    memory: float | None = None
    """Bytes."""
    seconds: float | None = None
    low_s: float | None = None
    high_s: float | None = None
    jobs: int = 0
    """How many past jobs the time was told from; 0 is a first guess."""
    price: float | None = None
    """Of an hour."""
    currency: str = ""


def promise_of(place: Place) -> Promise:
    low, high = place.seconds_range or (None, None)
    return Promise(
        memory=place.memory,
        seconds=place.seconds,
        low_s=low,
        high_s=high,
        jobs=place.past.time.jobs,
        price=place.price,
        currency=settings.ENVIRONMENT.currency if place.price is not None else "",
    )


def worked_s(job: Job) -> float:
    """Seconds for which its attempts worked: each up to the last that it told and that still stands.

    So neither waiting counts, nor what was lost with a worker that died, nor the silence until that was noticed.
    """
    last = dict(job.events.filter(type__in=KEPT).order_by().values_list("attempt").annotate(Max("at")))
    total = 0.0
    for attempt in job.attempts.all():
        end = clock.now() if attempt.number == job.attempt and attempt.ended_at is None else last.get(attempt.number)
        total += max(0.0, (end - attempt.started_at).total_seconds()) if end else 0.0
    return total


def held_s(job: Job) -> float:
    """Seconds for which it held a machine: what is paid for, whatever came of it."""
    now = clock.now()
    return sum(((one.ended_at or now) - one.started_at).total_seconds() for one in job.attempts.all())


def cost(promise: Promise, seconds: float | None) -> float | None:
    return None if promise.price is None or seconds is None else promise.price * seconds / HOUR_S
