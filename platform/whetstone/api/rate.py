"""How many requests a key may send a minute.

A sliding window from two counters: those of this minute, and those of the last one as far as it still lies within
sixty seconds. Libraries like django-ratelimit count in fixed windows, and let twice as many through at a window's edge.
"""

import logging
import math
import time
from dataclasses import dataclass

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase

from contracts.fault import Fault
from whetstone.api.counters import counters

log = logging.getLogger(__name__)
WINDOW_S = 60
counts = counters(2 * WINDOW_S)
BUDGET = "whetstone.budget"
"""Where a request carries it to its answer."""


@dataclass(frozen=True)
class Budget:
    limit: int
    left: int
    wait_s: int
    """Until the next request is let in; 0 while there are some left."""
    reset_s: int
    """Until all of them are there again, if none comes meanwhile."""


def spend(request: HttpRequest, who: str) -> None:
    """Raises Fault rate.exceeded."""
    limit = settings.ENVIRONMENT.rate_limit
    if not limit:
        return
    try:
        budget = _spend(who, limit)
    except Exception as error:  # a Redis that is away must not close the API
        log.warning("requests are not counted: %s", error)
        return
    request.META[BUDGET] = budget
    if budget.wait_s:
        raise Fault("rate.exceeded", limit=limit, seconds=budget.wait_s)


def _spend(who: str, limit: int) -> Budget:
    window, into = divmod(time.time(), WINDOW_S)
    place = f"requests:{who}:{window:.0f}"
    now, before = counts.add_one(place, f"requests:{who}:{window - 1:.0f}")
    weighs = before * (1 - into / WINDOW_S)
    if now + weighs > limit:
        counts.take_back(place)  # who is refused must not push his own turn away
        return Budget(limit, 0, _wait_s(limit, before, now, into), math.ceil(2 * WINDOW_S - into))
    return Budget(limit, math.floor(limit - now - weighs), 0, math.ceil(2 * WINDOW_S - into))


def _wait_s(limit: int, before: int, now: int, into: float) -> int:
    """Until this many of the last minute have left the window; else until enough of this minute have."""
    if now <= limit and before:
        return max(1, math.ceil(WINDOW_S * (1 - (limit - now) / before) - into))
    rest = WINDOW_S - into
    return max(1, math.ceil(rest + WINDOW_S * max(0.0, 1 - (limit - 1) / (now - 1))))


def tell(request: HttpRequest, response: HttpResponseBase) -> None:
    """OpenAI's headers, for whoever paces itself."""
    budget: Budget | None = request.META.get(BUDGET)
    if budget is None:
        return
    response["x-ratelimit-limit-requests"] = str(budget.limit)
    response["x-ratelimit-remaining-requests"] = str(budget.left)
    response["x-ratelimit-reset-requests"] = f"{budget.reset_s}s"
    if budget.wait_s:
        response["retry-after"] = str(budget.wait_s)
