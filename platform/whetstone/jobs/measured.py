"""How far estimates were off: what past jobs of a pool and method really took, beside what was expected."""

from collections.abc import Iterable
from dataclasses import dataclass
from statistics import median

from django.db.models import QuerySet

from contracts.estimate import GUESS
from whetstone.jobs.models import Job
from whetstone.lookup import Lookup

NEWEST, FEWEST = 20, 3
FIELDS = ("base", "expected_memory", "peak_memory", "expected_seconds", "worked_seconds")
LEAST, MOST = 0.5, 2.0
"""An estimate of memory that is off by more is not corrected further: something else is wrong then."""
SLOWEST = 1000.0
"""A guess of time may be off by far more: of what a machine is was known little."""
FEW_SPREAD, WIDER = 2.0, 1.1
"""One or two jobs tell the time up to a factor of two; more of them as they differ, and a tenth on either side."""


@dataclass(frozen=True)
class Correction:
    """What the estimate is multiplied by, and how far it was off so corrected."""

    factor: float = 1.0
    error: float | None = None
    """Median of the relative errors, like 0.08. None while too few jobs have been measured."""
    jobs: int = 0
    low: float = 1.0
    high: float = 1.0
    """Factors between which it is expected."""


NONE = Correction()
GUESSED = Correction(low=1 / GUESS, high=GUESS)


@dataclass(frozen=True)
class Measured:
    """Of the newest jobs of one method in one pool."""

    memory: Correction = NONE
    time: Correction = GUESSED


NOTHING = Measured()


def _newest(method: str, pool: str) -> QuerySet[Job]:
    told = Job.objects.filter(pool=pool, method=method, expected_memory__isnull=False, peak_memory__isnull=False)
    return told.only(*FIELDS).order_by("-finished_at")[:NEWEST]


TOLD = Lookup(_newest)


def measured(pools: Iterable[str], method: str, base: int | None = None) -> dict[str, Measured]:
    """By pool. Times of jobs on the same model count alone, once there are enough of them."""
    return {pool: _measured(TOLD.all(method, pool), base) for pool in pools}


def _measured(jobs: list[Job], base: int | None) -> Measured:
    memory = [job.peak_memory / job.expected_memory for job in jobs if job.peak_memory and job.expected_memory]
    times = [
        (job.worked_seconds / job.expected_seconds, job.base_id == base)
        for job in jobs
        if job.expected_seconds and job.worked_seconds
    ]
    return Measured(_of_memory(memory), _of_time(times))


def _of_memory(ratios: list[float]) -> Correction:
    if len(ratios) < FEWEST:
        return Correction(jobs=len(ratios))
    factor = min(MOST, max(LEAST, median(ratios)))
    return Correction(factor, _off(ratios, factor), len(ratios), factor, factor)


def _of_time(told: list[tuple[float, bool]]) -> Correction:
    alike = [ratio for ratio, is_same in told if is_same]
    ratios = sorted((alike if len(alike) >= FEWEST else [ratio for ratio, _ in told])[:NEWEST])
    if not ratios:
        return GUESSED
    factor = min(SLOWEST, max(1 / SLOWEST, median(ratios)))
    if len(ratios) < FEWEST:
        return Correction(factor, None, len(ratios), factor / FEW_SPREAD, factor * FEW_SPREAD)
    outer = len(ratios) // 10
    low, high = ratios[outer], ratios[-1 - outer]
    return Correction(factor, _off(ratios, factor), len(ratios), min(low, factor) / WIDER, max(high, factor) * WIDER)


def _off(ratios: list[float], factor: float) -> float:
    return median(abs(ratio / factor - 1) for ratio in ratios)


def measured_of(pool: str, method: str, base: int | None) -> Measured:
    return measured([pool], method, base).get(pool, NOTHING)


def measured_methods() -> list[tuple[str, str, Measured]]:
    """Every pool and method of which something was measured, by name. Evaluations have no method."""
    told = Job.objects.filter(expected_memory__isnull=False, peak_memory__isnull=False).exclude(method="")
    pairs = set(told.order_by().values_list("method", "pool").distinct())
    by_method = {method: measured([pool for of, pool in pairs if of == method], method) for method, _ in pairs}
    return [(pool, method, by_method[method][pool]) for method, pool in sorted(pairs, key=lambda pair: pair[::-1])]
