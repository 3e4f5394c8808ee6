"""Right answers beside right answers of other rows."""

import pytest

from graders import parse
from graders.attack import Target
from graders.contrast import Contrast, contrast

EXACT = {"type": "string_check", "reference": "{{ item.reference }}"}
ONE = {"type": "number", "reference": "1", "input": "1"}


def targets(*answers: str) -> list[Target]:
    return [Target([], answer, {"reference": answer}) for answer in answers]


def found(document: object, *answers: str) -> Contrast:
    return contrast(parse(document), targets(*answers))


def counts(one: Contrast) -> tuple[int, int, int]:
    return one.told_apart, one.ties, one.inverted


def test_a_grader_that_compares_tells_every_row_apart() -> None:
    one = found(EXACT, "4", "6", "8")
    assert counts(one) == (3, 0, 0)
    assert one.wrong is not None
    assert (one.rows, one.right.mean, one.wrong.mean, one.distinct, one.warning) == (3, 1, 0, 2, None)


def test_the_wrong_answer_is_the_next_one_that_differs() -> None:
    fuzzy = {"type": "text_similarity", "reference": "{{ item.reference }}"}
    one = found(fuzzy, "four", "four ", "five")
    assert counts(one) == (3, 0, 0)
    assert one.wrong is not None
    assert one.wrong.count == 3


def test_a_grader_that_gives_everything_the_same_teaches_nothing() -> None:
    one = found(ONE, "4", "6")
    assert (counts(one), one.distinct, one.warning) == ((0, 2, 0), 1, "constant")


def test_a_grader_that_likes_wrong_answers_better_is_told() -> None:
    other = {"type": "multi", "graders": {"a": EXACT}, "calculate_output": "1 - a"}
    one = found(other, "4", "6")
    assert (counts(one), one.warning) == ((0, 0, 2), "wrong_as_high")


def test_rows_that_are_all_answered_alike_are_no_proof_against_a_grader() -> None:
    one = found(EXACT, "4", "4")
    assert (one.wrong, counts(one), one.warning) == (None, (0, 0, 0), "untried")


@pytest.mark.parametrize("answers", [(), ("", " ")])
def test_a_row_without_a_right_answer_is_left_out(answers: tuple[str, ...]) -> None:
    one = found(EXACT, *answers)
    assert (one.rows, one.warning) == (0, "unanswered")


def test_what_is_not_scored_counts_on_no_side() -> None:
    one = found({"type": "reward_model", "model": "taste"}, "4", "6")
    assert (counts(one), one.distinct, one.warning) == ((0, 0, 0), 0, "unscored")


def test_length_alone_cannot_tell_answers_apart_that_are_equally_long() -> None:
    length = {"type": "length", "unit": "characters", "target": 3}
    one = found(length, "123", "456", "78")
    assert counts(one) == (1, 1, 1)
    assert one.warning == "wrong_as_high"
