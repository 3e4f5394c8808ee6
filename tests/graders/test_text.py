from time import perf_counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rapidfuzz import fuzz

from graders import Grade, grade, parse


def graded(grader: dict[str, object], text: str, reference: object) -> Grade:
    return grade(parse(grader), [{"output_text": text}], [{"reference": reference}])[0]


def check(operation: str, text: str, reference: object) -> float | None:
    return graded({"type": "string_check", "operation": operation}, text, reference).score


def fuzzy(text: str, reference: str) -> float | None:
    return graded({"type": "text_similarity"}, text, reference).score


@pytest.mark.parametrize(
    ("text", "reference", "agreeing"),
    [
        ("cat", "cat", {"eq", "like", "ilike"}),
        ("Cat", "cat", {"ne", "ilike"}),
        ("a cat sat", "cat", {"ne", "like", "ilike"}),
        ("a CAT sat", "cat", {"ne", "ilike"}),
        ("dog", "cat", {"ne"}),
        ("cat ", "cat", {"ne", "like", "ilike"}),
        ("", "", {"eq", "like", "ilike"}),
        ("anything", "", {"ne", "like", "ilike"}),
        ("STRASSE", "straße", {"ne", "ilike"}),
        ("答案是猫", "猫", {"ne", "like", "ilike"}),
        ("100%", "1__%", {"ne"}),
        ("42", 42, {"eq", "like", "ilike"}),
        ("42.0", 42, {"ne", "like", "ilike"}),
    ],
)
def test_texts_agree_as_the_operation_says(text: str, reference: object, agreeing: set[str]) -> None:
    scores = {operation: check(operation, text, reference) for operation in ("eq", "ne", "like", "ilike")}
    assert scores == {operation: float(operation in agreeing) for operation in scores}


def test_openais_older_word_for_different_is_understood() -> None:
    assert check("neq", "a", "b") == 1


# Values of the table in which several candidates for OpenAI's fuzzy_match were computed with rapidfuzz 3.10.1.
@pytest.mark.parametrize(
    ("text", "reference", "score"),
    [
        ("fuzzy wuzzy was a bear", "fuzzy wuzzy had no hair", 0.7555555555555555),
        ("The graded text", "The reference text", 0.6667),
        ("gallstone ileus", "gall stone ileus", 0.9677),
    ],
)
def test_similarity_is_the_ratio_of_the_published_table(text: str, reference: str, score: float) -> None:
    assert fuzzy(text, reference) == pytest.approx(score, abs=5e-5)


def test_the_example_whose_answer_openai_published_comes_out_to_the_last_digit() -> None:
    assert fuzzy("fuzzy wuzzy was a bear", "fuzzy wuzzy had no hair") == 0.7555555555555555


@given(st.text(), st.text())
def test_similarity_is_rapidfuzz_ratio_between_0_and_1(text: str, reference: str) -> None:
    score = fuzzy(text, reference)
    assert score is not None
    assert 0 <= score <= 1
    assert score == pytest.approx(fuzz.ratio(text, reference) / 100)


def test_texts_too_long_to_compare_are_flagged_instead_of_holding_up_the_job() -> None:
    started = perf_counter()
    receipt = graded({"type": "text_similarity"}, "ab" * 500_000, "ba" * 500_000)
    assert receipt.score == 0
    assert "too long" in str(receipt.errors["other_error_details"])
    assert perf_counter() - started < 1


def test_a_megabyte_is_compared_with_a_short_reference() -> None:
    started = perf_counter()
    assert 0 < (fuzzy("ab" * 500_000, "abab" * 100) or 0) < 0.01
    assert check("ilike", "ab" * 500_000, "ba" * 400_000) == 1
    assert perf_counter() - started < 5


def test_half_a_character_is_a_character() -> None:
    assert check("eq", "\ud800", "\ud800") == 1
    assert fuzzy("\ud800", "\ud800") == 1
