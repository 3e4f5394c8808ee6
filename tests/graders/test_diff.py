"""What differs between two graders."""

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from graders import Grade, parse
from graders.diff import Change, Comparison, FlipAt, changes, compare, flip_at, rank_correlation

HALF = FlipAt(0.5, 0.5)
JSON = some.recursive(
    some.none() | some.booleans() | some.integers(-9, 9) | some.text("ab", max_size=2),
    lambda inner: some.lists(inner, max_size=4) | some.dictionaries(some.sampled_from("abc"), inner, max_size=3),
    max_leaves=12,
)


def grades(*scores: float | None) -> list[Grade]:
    return [Grade(score, "one", "number") for score in scores]


def compared(left: list[float | None], right: list[float | None], at: FlipAt = HALF) -> Comparison:
    return compare(grades(*left), grades(*right), at)


@pytest.mark.parametrize(
    ("left", "right", "found"),
    [
        ({"a": 1}, {"a": 2}, [("a", "changed", 1, 2)]),
        ({"a": 1}, {"a": 1, "b": None}, [("b", "added", None, None)]),
        ({"a": {"b": 1, "c": 2}}, {"a": {"c": 2}}, [("a.b", "removed", 1, None)]),
        ({"a": ["x", "y"]}, {"a": ["x", "z", "y"]}, [("a.1", "added", None, "z")]),
        ({"a": ["x", "y", "z"]}, {"a": ["z"]}, [("a.0", "removed", "x", None), ("a.1", "removed", "y", None)]),
        ({"a": [{"t": "p", "w": 1}]}, {"a": [{"t": "p", "w": 2}]}, [("a.0.w", "changed", 1, 2)]),
        ({"a": 1}, {"a": True}, [("a", "changed", 1, True)]),
        ({"a": 1}, {"a": 1.0}, []),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}, []),
        ([], {}, [("", "changed", [], {})]),
    ],
)
def test_changes_name_the_place(left: Any, right: Any, found: list[tuple[Any, ...]]) -> None:
    assert changes(left, right) == [Change(*one) for one in found]


@given(JSON, JSON)
def test_documents_without_changes_are_the_same(left: Any, right: Any) -> None:
    assert changes(left, left) == []
    assert (changes(left, right) == []) == (repr(_sorted(left)) == repr(_sorted(right)))


def _sorted(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _sorted(value[key]) for key in sorted(value)}
    return [*map(_sorted, value)] if isinstance(value, list) else value


def test_a_row_flips_when_it_passes_on_one_side_alone() -> None:
    one = compared([0.4, 0.5, 1, 0, None], [0.6, 0.9, 0, 0, 1])
    assert (one.total, one.compared, one.flips) == (5, 4, 2)
    assert one.differing == (2, 0, 4, 1), "flipped by distance, one-sided, the others"
    assert (one.mean_left, one.mean_right) == (0.475, 0.375)


def test_pass_thresholds_decide_only_when_both_graders_have_one() -> None:
    bare, low, high = ({"type": "number"} | more for more in ({}, {"pass_threshold": 0.1}, {"pass_threshold": 0.8}))
    assert flip_at(parse(low), parse(high)) == FlipAt(0.1, 0.8)
    assert flip_at(parse(low), parse(bare)) == flip_at(parse(bare), parse(high)) == HALF
    assert compared([0.5], [0.5], FlipAt(0.1, 0.8)).flips == 1
    assert compared([0.5], [0.5], FlipAt(0.1, 0.8)).differing == (0,)


def test_the_rank_correlation_is_spearmans_with_average_ranks() -> None:
    assert rank_correlation([1, 2, 3], [10, 100, 1000]) == pytest.approx(1)
    assert rank_correlation([1, 2, 3], [3, 2, 1]) == pytest.approx(-1)
    # By hand: ranks 1, 2.5, 2.5, 4 and 1, 2, 3.5, 3.5.
    assert rank_correlation([1, 2, 2, 3], [1, 2, 3, 3]) == pytest.approx(3.75 / 4.5)
    assert rank_correlation([1, 1], [1, 2]) is None
    assert rank_correlation([1], [1]) is None


@given(some.lists(some.integers(0, 3), min_size=2, max_size=12))
def test_a_score_is_ranked_as_its_square_root_is(values: list[int]) -> None:
    found = rank_correlation(values, [math.sqrt(value) for value in values])
    assert found is None if len({*values}) == 1 else found == pytest.approx(1)


def test_nothing_to_compare_is_no_number() -> None:
    one = compared([None], [1])
    assert (one.compared, one.mean_left, one.rank_correlation, one.differing) == (0, None, None, (0,))


def test_enormous_scores_have_no_mean() -> None:
    assert compared([1.7e308, 1.7e308], [1, 2]).mean_left is None
