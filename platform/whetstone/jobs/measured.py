"""How far estimates of memory were off: what past jobs of a pool and method really held, beside what was expected."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from statistics import median

from whetstone.jobs.models import Job

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


def corrections(pools: Iterable[str], method: str) -> dict[str, Correction]:
    """By pool, from the newest jobs of this method that were measured. One query."""
    measured = Job.objects.filter(
        pool__in=list(pools), method=method, expected_memory__isnull=False, peak_memory__isnull=False
    )
    ratios: dict[str, list[float]] = defaultdict(list)
    newest = measured.order_by("-finished_at").values_list("pool", "expected_memory", "peak_memory")
    for pool, expected, peak in newest[: 10 * NEWEST]:
        if expected and peak and len(ratios[pool]) < NEWEST:
            ratios[pool].append(peak / expected)
    return {pool: _correction(found) for pool, found in ratios.items()}


def _correction(ratios: list[float]) -> Correction:
    if len(ratios) < FEWEST:
        return Correction(jobs=len(ratios))
    factor = min(MOST, max(LEAST, median(ratios)))
    return Correction(factor, median(abs(ratio / factor - 1) for ratio in ratios), len(ratios))
