"""What was estimated of a job and of a pool, beside what it really took, in words."""

from dataclasses import dataclass

from django.conf import settings
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from whetstone.jobs.measured import Measured, measured_methods, measured_of
from whetstone.jobs.models import Job
from whetstone.jobs.place import Place, price_of
from whetstone.jobs.promise import Promise, cost, held_s, promise_of
from whetstone.web import words

MINUTE_S, HOUR_S, DAY_S = 60, 3600, 86_400
SMALL = 0.005


@dataclass(frozen=True)
class Line:
    """One fact of a job. Either side may be missing: nothing was promised, or nothing is known yet."""

    name: str
    actual: str = ""
    estimated: str = ""
    off: str = ""


def lines_of(job: Job) -> list[Line]:
    """Memory, time and cost, as far as something is known of them."""
    promise = Promise.model_validate(job.promise)
    memory = promise.memory or job.expected_memory
    held = held_s(job) if job.has_ended and job.started_at else None
    paid = cost(promise, held)
    found = [
        Line(
            _("Memory"),
            _gb(job.peak_memory) if job.peak_memory else "",
            _gb(memory) if memory else "",
            _off(job.peak_memory, memory),
        ),
        Line(
            _("Work"),
            roughly(job.worked_seconds) if job.worked_seconds else "",
            _between(promise),
            _off(job.worked_seconds, promise.seconds),
        ),
        Line(
            _("Cost"),
            _money(paid, promise.currency) if paid is not None else "",
            _costs(promise),
        ),
    ]
    return [line for line in found if line.actual or line.estimated]


def promised(place: Place) -> list[Line]:
    """What is said of them before something is begun."""
    promise = promise_of(place)
    found = [
        Line(_("Memory"), estimated=_gb(place.memory) if place.memory else ""),
        Line(_("Time"), estimated=_between(promise)),
        Line(_("Cost"), estimated=_costs(promise)),
    ]
    return [line for line in found if line.estimated]


def so_far(job: Job) -> str:
    """How far estimates of such jobs were off in this pool. Empty while too few have been measured."""
    return _sentence(measured_of(job.pool, job.method, job.base_id))


def _sentence(found: Measured) -> str:
    parts = []
    if (off := found.memory.error) is not None:
        parts.append(_("memory by %(off)s over %(jobs)s jobs") % {"off": _percent(off), "jobs": found.memory.jobs})
    if (off := found.time.error) is not None:
        parts.append(_("time by %(off)s over %(jobs)s jobs") % {"off": _percent(off), "jobs": found.time.jobs})
    return _("Estimates like it were off: %(what)s.") % {"what": ", ".join(parts)} if parts else ""


@dataclass(frozen=True)
class Row:
    """Of a pool and a method."""

    pool: str
    method: str
    memory: str
    time: str
    jobs: int


def table() -> list[Row]:
    """How far estimates were off, for every pool and method of which enough was measured."""
    return [
        Row(
            pool,
            str(words.METHODS[method]),
            "–" if found.memory.error is None else _percent(found.memory.error),
            "–" if found.time.error is None else _percent(found.time.error),
            max(found.memory.jobs, found.time.jobs),
        )
        for pool, method, found in measured_methods()
    ]


def price_text(pool: str) -> str:
    """Empty for a pool without a price."""
    price = price_of(pool)
    return "" if price is None else _("%(price)s an hour") % {"price": _money(price, settings.ENVIRONMENT.currency)}


def roughly(seconds: float) -> str:
    """40 s, 5 min, 2.5 h, 3 days."""
    if seconds < 90:
        return _("%(n)s s") % {"n": max(1, round(seconds))}
    if seconds < 90 * MINUTE_S:
        return _("%(n)s min") % {"n": round(seconds / MINUTE_S)}
    if seconds < 2 * DAY_S:
        return _("%(n)s h") % {"n": number_format(seconds / HOUR_S, 1)}
    return _("%(n)s days") % {"n": number_format(seconds / DAY_S, 1)}


def _between(promise: Promise) -> str:
    if promise.low_s is None or promise.high_s is None:
        return ""
    low, high = roughly(promise.low_s), roughly(promise.high_s)
    between = low if low == high else _("%(low)s to %(high)s") % {"low": low, "high": high}
    if not promise.jobs:
        return _("%(range)s, a first guess") % {"range": between}
    told = ngettext("%(range)s, from %(n)s job", "%(range)s, from %(n)s jobs", promise.jobs)
    return told % {"range": between, "n": promise.jobs}


def _costs(promise: Promise) -> str:
    low, high = cost(promise, promise.low_s), cost(promise, promise.high_s)
    if low is None or high is None:
        return ""
    return _("%(low)s to %(high)s") % {"low": _amount(low), "high": _money(high, promise.currency)}


def _off(actual: float | None, estimated: float | None) -> str:
    """How far the estimate lay from it: +12% is too much."""
    if not actual or not estimated:
        return ""
    share = estimated / actual - 1
    return f"{share:+.0%}".replace("-", "−")  # a minus, as the pages write it


def _percent(share: float) -> str:
    return "<1%" if share < SMALL else f"{share:.0%}"


def _gb(size: float) -> str:
    return f"{number_format(size / 1e9, 2 if size < 10e9 else 1)} GB"


def _amount(amount: float) -> str:
    digits = 2 if amount >= 0.1 or amount == 0 else 4
    return str(number_format(amount, digits))


def _money(amount: float, currency: str) -> str:
    return f"{_amount(amount)} {currency}"
