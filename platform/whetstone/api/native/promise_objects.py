"""What is promised before work is begun: how long it takes, and what that costs."""

from django.conf import settings
from typing_extensions import TypedDict  # Pydantic reads no other before Python 3.12

from whetstone.api.answers import described
from whetstone.jobs.place import Place


@described
class TimeJson(TypedDict):
    """How long the work takes, without waiting for a machine."""

    seconds: float
    low_s: float
    high_s: float
    jobs: int
    """Past jobs of this method in this pool that it is told from. 0: a first guess from what the machine is."""
    error: float | None
    """How far such an estimate was off for them, in the middle, like 0.08. Null while fewer than three were timed."""


@described
class CostJson(TypedDict):
    low: float
    high: float
    price: float
    """Of an hour of one machine of the pool."""
    currency: str


def time_json(place: Place) -> TimeJson | None:
    if place.seconds is None or place.seconds_range is None:
        return None
    low, high = place.seconds_range
    past = place.past.time
    return {
        "seconds": round(place.seconds, 1),
        "low_s": round(low, 1),
        "high_s": round(high, 1),
        "jobs": past.jobs,
        "error": None if past.error is None else round(past.error, 3),
    }


def cost_json(place: Place) -> CostJson | None:
    if place.cost_range is None or place.price is None:
        return None
    low, high = place.cost_range
    return {
        "low": round(low, 4),
        "high": round(high, 4),
        "price": place.price,
        "currency": settings.ENVIRONMENT.currency,
    }
