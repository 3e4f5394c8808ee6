"""What differs between two graders: in their JSON, and in the scores that they give the same answers.

The rank correlation is Spearman's with average ranks for ties: `statistics.correlation` ranks since Python 3.12 alone.
"""

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from statistics import StatisticsError, correlation, fmean
from typing import Literal

from pydantic import JsonValue

from graders.receipt import Grade
from graders.schema import Grader

HALF = 0.5


@dataclass(frozen=True)
class Change:
    """One place where two documents differ."""

    path: str
    """Like `graders.a.reference`. In a list, the place on the right, and of what was removed the place on the left."""
    kind: Literal["added", "removed", "changed"]
    left: JsonValue
    right: JsonValue


def changes(left: JsonValue, right: JsonValue) -> list[Change]:
    """What to change in the left document to have the right one, in the right one's order."""
    return list(_changes("", left, right))


def _changes(path: str, left: JsonValue, right: JsonValue) -> Iterator[Change]:
    if isinstance(left, dict) and isinstance(right, dict):
        for key in (*right, *(key for key in left if key not in right)):
            yield from _member(_inner(path, key), left, right, key)
    elif isinstance(left, list) and isinstance(right, list):
        yield from _elements(path, left, right)
    elif _canonical(left) != _canonical(right):
        yield Change(path, "changed", left, right)


def _member(path: str, left: dict[str, JsonValue], right: dict[str, JsonValue], key: str) -> Iterator[Change]:
    if key not in left:
        yield Change(path, "added", None, right[key])
    elif key not in right:
        yield Change(path, "removed", left[key], None)
    else:
        yield from _changes(path, left[key], right[key])


def _elements(path: str, left: list[JsonValue], right: list[JsonValue]) -> Iterator[Change]:
    matcher = SequenceMatcher(None, [*map(_canonical, left)], [*map(_canonical, right)], autojunk=False)
    for kind, start, end, begin, finish in matcher.get_opcodes():
        if kind == "equal":
            continue
        both = min(end - start, finish - begin)
        for n in range(both):
            yield from _changes(_inner(path, begin + n), left[start + n], right[begin + n])
        for n in range(start + both, end):
            yield Change(_inner(path, n), "removed", left[n], None)
        for n in range(begin + both, finish):
            yield Change(_inner(path, n), "added", None, right[n])


def _inner(path: str, key: str | int) -> str:
    return f"{path}.{key}" if path else str(key)


def _canonical(value: JsonValue) -> str:
    """True is not 1, and 1 is 1.0: as JSON has it."""
    same = float(value) if isinstance(value, int) and not isinstance(value, bool) else value
    return json.dumps(same, sort_keys=True)


@dataclass(frozen=True)
class FlipAt:
    """The scores from which on an answer counts as passed."""

    left: float
    right: float


@dataclass(frozen=True)
class Comparison:
    """Two graders on the same answers."""

    total: int
    compared: int
    """Rows with a score on both sides: all that follows is of these."""
    flips: int
    """Rows that pass on one side alone."""
    flip_at: FlipAt
    """The graders' pass thresholds when both have one, otherwise 0.5 for both."""
    rank_correlation: float | None
    """Spearman's. None where one of the sides gives everything the same score."""
    mean_left: float | None
    mean_right: float | None
    differing: tuple[int, ...]
    """Rows: those that flip, then those that one side alone could score, then others; by how far the scores are apart.
    Rows with equal scores are left out."""


def flip_at(left: Grader, right: Grader) -> FlipAt:
    if left.pass_threshold is None or right.pass_threshold is None:
        return FlipAt(HALF, HALF)
    return FlipAt(left.pass_threshold, right.pass_threshold)


def compare(left: Sequence[Grade], right: Sequence[Grade], at: FlipAt) -> Comparison:
    """The grades of the same answers in the same order."""
    scores = [(one.score, other.score) for one, other in zip(left, right, strict=True)]
    both = {n: (one, other) for n, (one, other) in enumerate(scores) if one is not None and other is not None}
    flipped = {n for n, (one, other) in both.items() if (one >= at.left) != (other >= at.right)}
    one_sided = [n for n, (one, other) in enumerate(scores) if (one is None) != (other is None)]
    apart = [n for n, (one, other) in both.items() if one != other or n in flipped]
    apart.sort(key=lambda n: -abs(both[n][0] - both[n][1]))
    order = [*(n for n in apart if n in flipped), *one_sided, *(n for n in apart if n not in flipped)]
    return Comparison(
        total=len(scores),
        compared=len(both),
        flips=len(flipped),
        flip_at=at,
        rank_correlation=rank_correlation([one for one, _ in both.values()], [other for _, other in both.values()]),
        mean_left=_mean([one for one, _ in both.values()]),
        mean_right=_mean([other for _, other in both.values()]),
        differing=tuple(order),
    )


def rank_correlation(one: Sequence[float], other: Sequence[float]) -> float | None:
    """Spearman's, ties sharing the average of their ranks. None for fewer than two values, or when one never varies."""
    if len(one) < 2:
        return None
    try:
        return correlation(_ranks(one), _ranks(other))
    except StatisticsError:
        return None


def _ranks(values: Sequence[float]) -> list[float]:
    order = sorted(range(len(values)), key=values.__getitem__)
    ranks, start = [0.0] * len(values), 0
    while start < len(order):
        end = start
        while end < len(order) and values[order[end]] == values[order[start]]:
            end += 1
        for n in order[start:end]:
            ranks[n] = (start + end + 1) / 2
        start = end
    return ranks


def _mean(values: Sequence[float]) -> float | None:
    if not values:
        return None
    try:
        mean = fmean(values)
    except OverflowError:  # enormous scores
        return None
    return mean if math.isfinite(mean) else None
