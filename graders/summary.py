"""What many grades say together."""

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import StatisticsError, correlation, fmean, pstdev

from graders.receipt import Grade

BINS = 20
SLOWEST = 5


@dataclass(frozen=True)
class Summary:
    """Of the grades of one grader. Scores that are not there count nowhere but in `not_scored`."""

    count: int
    not_scored: int
    mean: float | None
    std: float | None
    """Population standard deviation."""
    least: float | None
    most: float | None
    distinct: int
    """Different scores. One alone teaches nothing: every answer of a group is then as good as the others."""
    passed: int | None
    """None without a pass threshold."""
    bins: tuple[int, ...]
    """Scores by size, in bins of the same width from least to most; one bin when all are the same."""
    errors: dict[str, int]
    """Rows by flag."""
    slowest: tuple[tuple[int, float], ...]
    """Rows and their seconds. Of graders that work in batches, a row has its share."""
    parts: dict[str, float]
    """Mean of every part of a combination, by its path, like `format.tags`."""
    correlation: dict[str, dict[str, float]]
    """Pearson's, between parts that vary, over rows on which both are scored."""


def summary(grades: Sequence[Grade]) -> Summary:
    scores = [one.score for one in grades if one.score is not None]
    passed = [one.passed for one in grades if one.passed is not None]
    parts = _parts(grades)
    slowest = sorted(enumerate(one.time_s for one in grades), key=lambda row: -row[1])
    return Summary(
        count=len(grades),
        not_scored=len(grades) - len(scores),
        mean=_finite(fmean, scores),
        std=_finite(pstdev, scores),
        least=min(scores, default=None),
        most=max(scores, default=None),
        distinct=len(set(scores)),
        passed=sum(passed) if passed else None,
        bins=_bins(scores),
        errors=dict(Counter(flag for one in grades for flag, said in one.errors.items() if said is True)),
        slowest=tuple(slowest[:SLOWEST]),
        parts={path: mean for path, found in parts.items() if (mean := _finite(fmean, [*found.values()])) is not None},
        correlation={path: _correlations(path, parts) for path in parts},
    )


def _finite(of: Callable[[Sequence[float]], float], values: Sequence[float]) -> float | None:
    """None for no values, and for enormous ones whose sum is no number any more: JSON has no word for that."""
    try:
        found = of(values) if values else math.nan
    except OverflowError:
        return None
    return found if math.isfinite(found) else None


def _bins(scores: Sequence[float]) -> tuple[int, ...]:
    if not scores:
        return ()
    least, most = min(scores), max(scores)
    width = most - least
    if width == 0 or not math.isfinite(width):
        return (len(scores),)
    places = Counter(min(BINS - 1, int((score - least) / width * BINS)) for score in scores)
    return tuple(places[n] for n in range(BINS))


def _parts(grades: Sequence[Grade]) -> dict[str, dict[int, float]]:
    """The scores of every part, by its path and the row."""
    found: dict[str, dict[int, float]] = {}

    def collect(row: int, prefix: str, one: Grade) -> None:
        for name, part in one.sub.items():
            if part.score is not None:
                found.setdefault(f"{prefix}{name}", {})[row] = part.score
            collect(row, f"{prefix}{name}.", part)

    for row, one in enumerate(grades):
        collect(row, "", one)
    return found


def _correlations(path: str, parts: dict[str, dict[int, float]]) -> dict[str, float]:
    mine = parts[path]
    with_each = {other: _correlation(mine, theirs) for other, theirs in parts.items() if other != path}
    return {other: value for other, value in with_each.items() if value is not None}


def _correlation(mine: dict[int, float], theirs: dict[int, float]) -> float | None:
    both = [(mine[row], theirs[row]) for row in mine.keys() & theirs.keys()]
    if len(both) < 2:
        return None
    try:
        together = correlation(*zip(*both, strict=True))
    except (StatisticsError, OverflowError):  # one of them never varies, or is enormous
        return None
    return together if math.isfinite(together) else None
