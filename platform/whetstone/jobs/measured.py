"""How far estimates of memory were off: what past jobs of a pool and method really held, beside what was expected."""

from collections.abc import Iterable
from dataclasses import dataclass
from statistics import median

from django.db.models import QuerySet

from whetstone.jobs.models import Job
from whetstone.lookup import Lookup

NEWEST, FEWEST = 20, 3
LEAST, MOST = 0.5, 2.0
"""An estimate that is off by more is not corrected further: something else is wrong then."""


@dataclass(frozen=True)
class Correction:
    """What the estimate is multiplied by, and how far it was off so corrected."""

    factor: float = 1.0
    error: float | None = None
    """Median of the relative errors, like 0.08. None while too few jobs have been measured."""
    jobs: int = 0


NONE = Correction()


def _measured(method: str, pool: str) -> QuerySet[Job]:
    measured = Job.objects.filter(pool=pool, method=method, expected_memory__isnull=False, peak_memory__isnull=False)
    return measured.only("expected_memory", "peak_memory").order_by("-finished_at")[:NEWEST]


MEASURED = Lookup(_measured)


def corrections(pools: Iterable[str], method: str) -> dict[str, Correction]:
    """By pool, from the newest jobs of this method that were measured."""
    return {pool: _correction(MEASURED.all(method, pool)) for pool in pools}


def _correction(jobs: list[Job]) -> Correction:
    ratios = [job.peak_memory / job.expected_memory for job in jobs if job.peak_memory and job.expected_memory]
    if len(ratios) < FEWEST:
        return Correction(jobs=len(ratios))
    factor = min(MOST, max(LEAST, median(ratios)))
    return Correction(factor, median(abs(ratio / factor - 1) for ratio in ratios), len(ratios))
