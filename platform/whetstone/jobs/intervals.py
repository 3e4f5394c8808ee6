"""How sure a mean over held-out rows is: confidence intervals, over rows drawn at random from those that might come."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist, fmean, stdev
from typing import Literal

import numpy as np
import numpy.typing as npt

RESAMPLES = 10_000
SEED = 1843
"""The same rows give the same interval every time it is asked for."""
_CHUNK = 4_000_000
Means = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Interval:
    """Two-sided."""

    low: float
    high: float
    method: Literal["wilson", "t", "paired_bootstrap", "bootstrap"]


def of_mean(rows: Sequence[float], confidence: float) -> Interval | None:
    """Wilson's (1927) where every row is right or wrong, else Student's t. None of fewer than two rows."""
    n = len(rows)
    if n < 2:
        return None
    mean = fmean(rows)
    if all(row in (0.0, 1.0) for row in rows):
        return _wilson(mean, n, confidence)
    half = student(confidence, n - 1) * stdev(rows) / math.sqrt(n)
    return Interval(mean - half, mean + half, "t")


def of_difference(before: Sequence[float], after: Sequence[float], confidence: float) -> Interval | None:
    """Of the mean of `after - before`, row by row: a paired bootstrap, percentiles.

    They are taken a little further out, as far as Student's t lies outside of the normal: without, few rows make the
    interval too narrow (Hesterberg 2015, “What teachers should know about the bootstrap”). None of fewer than two rows.
    """
    differences = np.array(after) - np.array(before)
    if len(differences) < 2:
        return None
    return of_means(resampled(differences), len(differences), confidence)


def of_means(means: Means, n: int, confidence: float) -> Interval:
    """Of the resampled means of the differences of `n` rows."""
    low, high = np.quantile(means, _tails(n, confidence))
    return Interval(float(low), float(high), "paired_bootstrap")


def resampled(rows: Means) -> Means:
    """The means of RESAMPLES samples of as many rows, drawn with replacement."""
    n, random, means = len(rows), np.random.default_rng(SEED), []
    at_once = max(1, _CHUNK // n)
    for first in range(0, RESAMPLES, at_once):
        drawn = random.integers(n, size=(min(at_once, RESAMPLES - first), n))
        means.append(rows[drawn].mean(axis=1))
    return np.concatenate(means)


def of_columns(rows: Means, confidence: float) -> list[Interval | None]:
    """Of the mean of each column [rows, columns], by one bootstrap over the rows. NaN: the row says nothing there.

    None for a column of fewer than two rows.
    """
    n, known = len(rows), ~np.isnan(rows)
    if n < 2:
        return [None] * rows.shape[1]
    values, random, means = np.nan_to_num(rows), np.random.default_rng(SEED), []
    at_once = max(1, _CHUNK // n)
    for first in range(0, RESAMPLES, at_once):
        size = min(at_once, RESAMPLES - first)
        places = random.integers(n, size=(size, n)) + n * np.arange(size)[:, None]
        times = np.bincount(places.ravel(), minlength=size * n).reshape(size, n)
        with np.errstate(invalid="ignore"):
            means.append((times @ values) / (times @ known))
    ends = np.nanquantile(np.concatenate(means), _tails(n, confidence), axis=0)
    counts = known.sum(axis=0)
    return [
        Interval(float(low), float(high), "bootstrap") if count > 1 else None
        for low, high, count in zip(*ends, counts, strict=True)
    ]


def _tails(n: int, confidence: float) -> tuple[float, float]:
    tail = NormalDist().cdf(-math.sqrt(n / (n - 1)) * student(confidence, n - 1))
    return tail, 1 - tail


def _wilson(share: float, n: int, confidence: float) -> Interval:
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    scale = 1 + z * z / n
    middle = (share + z * z / (2 * n)) / scale
    half = z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n)) / scale
    return Interval(max(0.0, middle - half), min(1.0, middle + half), "wilson")


def student(confidence: float, freedom: int) -> float:
    """The quantile of Student's t that has `confidence` between its negative and itself, by bisection."""
    freedom = min(freedom, 2000)  # beyond it is the normal's, to three digits
    low, high = 0.0, math.pi / 2
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if _between(middle, freedom) < confidence else (low, middle)
    return math.tan(low) * math.sqrt(freedom)


def _between(angle: float, freedom: int) -> float:
    """How much of t lies within ±tan(angle)·√freedom (Abramowitz and Stegun 26.7.3 and 26.7.4)."""
    sine, cosine, is_odd = math.sin(angle), math.cos(angle), freedom % 2
    term = total = cosine if is_odd else 1.0
    for n in range(2 + is_odd, freedom - 1, 2):
        term *= cosine * cosine * (n - 1) / n
        total += term
    if not is_odd:
        return sine * total
    return 2 / math.pi * (angle + (sine * total if freedom > 1 else 0.0))
