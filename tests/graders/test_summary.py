import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graders import Grade, grade, parse
from graders.summary import BINS, summary

PARTS = {"right": {"type": "number", "reference": "9"}, "brief": {"type": "regex", "pattern": r"^\S{1,4}$"}}
MULTI = {"type": "multi", "graders": PARTS, "calculate_output": "0.9 * right + 0.1 * brief", "pass_threshold": 0.9}


def of(*scores: float | None) -> list[Grade]:
    return [Grade(score, "a", "a") for score in scores]


def test_scores_that_are_not_there_count_nowhere_else() -> None:
    found = summary(of(1, None, 0))
    assert (found.count, found.not_scored, found.mean, found.std, found.distinct) == (3, 1, 0.5, 0.5, 2)


def test_nothing_has_no_mean() -> None:
    found = summary([])
    assert (found.mean, found.std, found.least, found.most, found.bins, found.passed) == (
        None,
        None,
        None,
        None,
        (),
        None,
    )


def test_scores_are_counted_in_bins_from_the_least_to_the_most() -> None:
    bins = summary(of(-1, -1, 0, 1)).bins
    assert (len(bins), bins[0], bins[BINS // 2], bins[-1]) == (BINS, 2, 1, 1)


def test_scores_that_are_all_the_same_are_one_bin() -> None:
    found = summary(of(0.3, 0.3, 0.3))
    assert (found.bins, found.distinct) == ((3,), 1)


def test_parts_have_means_and_say_how_they_go_together() -> None:
    answers = ["9", "it is nine: 9", "8", "it is eight: 8"]
    found = summary(grade(parse(MULTI), [{"output_text": answer} for answer in answers], [{}] * 4))
    assert found.parts == {"right": 0.5, "brief": 0.5}
    assert found.correlation["right"]["brief"] == pytest.approx(0)
    assert found.passed == 2
    alike = summary(
        grade(parse(MULTI), [{"output_text": answer} for answer in answers[:1] * 2 + answers[3:]], [{}] * 3)
    )
    assert alike.correlation["brief"]["right"] == pytest.approx(1)


def test_a_part_that_never_varies_goes_together_with_nothing() -> None:
    found = summary(grade(parse(MULTI), [{"output_text": "9"}] * 3, [{}] * 3))
    assert found.correlation == {"right": {}, "brief": {}}


def test_errors_are_counted_by_flag() -> None:
    grader = parse({"type": "string_check"})
    found = summary(grade(grader, [{"output_text": "a"}] * 3, [{"reference": "a"}, {}, {}]))
    assert found.errors == {"invalid_variable_error": 2}


def test_the_slowest_rows_are_named() -> None:
    grades = [Grade(1.0, "a", "a", time_s=seconds) for seconds in (0.1, 0.5, 0.2)]
    assert summary(grades).slowest == ((1, 0.5), (2, 0.2), (0, 0.1))


def test_enormous_scores_have_no_mean_that_json_could_say() -> None:
    found = summary(of(1.7e308, 1.7e308, -1.7e308))
    assert (found.count, sum(found.bins)) == (3, 3)
    parts = [
        Grade(1.0, "m", "multi", sub={"a": Grade(s, "a", "a"), "b": Grade(-s, "b", "b")}) for s in (1.7e308, -1.7e308)
    ]
    assert all(math.isfinite(value) for value in summary(parts).parts.values())


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False) | st.none(), max_size=50))
def test_any_scores_can_be_summed_up(scores: list[float | None]) -> None:
    found = summary(of(*scores))
    assert sum(found.bins) == found.count - found.not_scored
    assert found.mean is None or math.isfinite(found.mean)
    assert found.std is None or math.isfinite(found.std)
