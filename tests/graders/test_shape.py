import math
from time import perf_counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graders import Grade, GraderError, grade, item_columns, parse
from graders.languages import LANGUAGES, _identifier, detect
from graders.words import words


def graded(grader: dict[str, object], answer: str, **item: object) -> Grade:
    return grade(parse(grader), [{"output_text": answer}], [item])[0]


def length(count: int, **fields: object) -> float | None:
    return graded({"type": "length"} | fields, "word " * count).score


def test_the_target_scores_1_and_both_sides_fall_evenly() -> None:
    assert [length(n, target=10) for n in (0, 5, 10, 15, 20, 40)] == [0, 0.5, 1, 0.5, 0, 0]
    assert [length(n, target=10, tolerance=2) for n in (8, 12, 13)] == [1, 1, 0.9]


def test_the_cosine_is_the_one_of_the_paper() -> None:
    def paper(t: int, longest: int, low: float, high: float) -> float:
        return low + 0.5 * (high - low) * (1 + math.cos(t * math.pi / longest))

    fields = {"curve": "cosine", "longest": 100, "shortest_score": 2.0, "longest_score": 1.0, "over_score": -10.0}
    for n in (0, 1, 25, 50, 99, 100):
        assert length(n, **fields) == pytest.approx(paper(n, 100, 1.0, 2.0))
    assert length(101, **fields) == -10
    assert length(101, **fields | {"over_score": None}) == 1


def test_soft_overlong_is_equation_13_of_dapo() -> None:
    fields = {"curve": "soft_overlong", "longest": 100, "buffer": 20}
    assert [length(n, **fields) for n in (0, 80, 90, 100, 500)] == [0, 0, -0.5, -1, -1]


def test_harmonizing_is_the_references_length_over_the_answers_less_1() -> None:
    grader: dict[str, object] = {"type": "length", "curve": "harmonizing"}
    assert graded(grader, "a b c d", reference="a b").score == -0.5
    assert graded(grader, "a b c d", reference=8).score == 1
    assert graded(grader, "", reference=3).score == 2
    assert graded(grader, "a b c d", reference=8).evidence == {"words": 4, "reference": 8}


def test_tokens_are_those_that_the_sample_counts() -> None:
    grader = parse({"type": "length", "unit": "tokens", "target": 10})
    (receipt,) = grade(grader, [{"output_text": "x", "output_tokens": 5}], [{}])
    assert (receipt.score, receipt.evidence) == (0.5, {"tokens": 5})
    for count in (None, "5", -1, True, 2.5):
        (receipt,) = grade(grader, [{"output_text": "x", "output_tokens": count}], [{}])
        assert "sample.output_tokens" in str(receipt.errors["invalid_variable_error_details"])


def test_a_reference_in_tokens_must_be_a_number() -> None:
    grader = parse({"type": "length", "curve": "harmonizing", "unit": "tokens"})
    samples = [{"output_tokens": 4}] * 2
    receipts = grade(grader, samples, [{"reference": 8}, {"reference": "a text"}])
    assert [receipt.score for receipt in receipts] == [1, 0]
    assert "no number of tokens" in str(receipts[1].errors["other_error_details"])


def test_characters_and_words_are_counted_in_any_script() -> None:
    assert graded({"type": "length", "unit": "characters", "target": 4}, "答案是猫").score == 1
    assert words("答案是 42。 the cat's") == ["答", "案", "是", "42。", "the", "cat's"]
    assert words(" \n") == []


@pytest.mark.parametrize(
    ("grader", "path", "message"),
    [
        ({"type": "length"}, "target", "The curve “target” needs “target”."),
        ({"type": "length", "curve": "cosine"}, "longest", "The curve “cosine” needs “longest”."),
        ({"type": "length", "curve": "soft_overlong", "longest": 5}, "buffer", "needs “buffer”."),
        ({"type": "length", "curve": "soft_overlong", "longest": 5, "buffer": 6}, "buffer", "longer than the longest"),
        ({"type": "length", "target": 0}, "target", "0 is not more than 0."),
        ({"type": "length", "target": "long"}, "target", "long is not a whole number."),
        ({"type": "length", "target": 5, "curve": "dapo"}, "curve", "did you mean soft_overlong?"),
        ({"type": "length", "target": 5, "unit": "chars"}, "unit", "did you mean characters?"),
        ({"type": "length", "target": 5, "max_length": 7}, "max_length", "did you mean longest?"),
        ({"type": "repetition", "ngram": 0}, "ngram", "0 is less than 1."),
        ({"type": "repetition", "max_penalty": 1}, "max_penalty", "1 is more than 0."),
        ({"type": "repetition", "ngram_size": 2}, "ngram_size", "did you mean ngram?"),
        ({"type": "language", "language": "english"}, "language", "“english” is no language code"),
    ],
)
def test_every_problem_has_its_place_and_a_sentence(grader: object, path: str, message: str) -> None:
    with pytest.raises(GraderError) as caught:
        parse(grader)
    (problem,) = caught.value.problems
    assert problem.path == path
    assert message in problem.message


def repetition(answer: str, ngram: int, penalty: float = -1.0) -> float | None:
    return graded({"type": "repetition", "ngram": ngram, "max_penalty": penalty}, answer).score


# TRL documents these for lists of tokens, of which these texts have one a word.
def test_repetition_scores_as_trl_documents() -> None:
    assert repetition("1 2 3 4", 2) == 0.0
    assert repetition("5 5 5 5 5", 2) == -0.75


def test_repetition_is_the_share_of_n_grams_that_came_before() -> None:
    assert repetition("the cat sat on the cat", 2, -2.0) == pytest.approx(-2 * (1 - 4 / 5))
    assert repetition("好好好好", 2) == pytest.approx(-(1 - 1 / 3))
    assert repetition("one two", 3) == 0
    assert repetition("", 1) == 0


@given(st.lists(st.sampled_from("abc"), max_size=20), st.integers(1, 4))
def test_repetition_lies_between_the_highest_penalty_and_0(parts: list[str], ngram: int) -> None:
    score = repetition(" ".join(parts), ngram)
    assert score is not None
    assert -1 < score <= 0


def test_a_megabyte_is_measured_in_seconds() -> None:
    started = perf_counter()
    assert -1 < (repetition("word " * 200_000, 100) or 0) < -0.99
    assert length(200_000, target=100) == 0
    assert detect("so it goes " * 100_000) == "en"
    assert perf_counter() - started < 30


@pytest.mark.parametrize(
    ("language", "answer"),
    [
        ("en", "So she makes 18 dollars every day."),
        ("de", "Also verdient sie jeden Tag 18 Dollar."),
        ("fr", "Elle gagne donc 18 dollars chaque jour."),
        ("zh", "所以她每天赚十八美元。"),
        ("ja", "だから彼女は毎日18ドル稼ぎます。"),
        ("ar", "لذلك تكسب 18 دولارًا كل يوم."),
    ],
)
def test_a_language_is_told_from_others(language: str, answer: str) -> None:
    grader: dict[str, object] = {"type": "language", "language": language}
    assert graded(grader, answer).score == 1
    assert graded(grader, answer).evidence == {"language": language}
    assert graded(grader | {"language": "sw"}, answer).score == 0


def test_the_right_language_may_stand_in_the_row() -> None:
    grader: dict[str, object] = {"type": "language", "language": "{{ item.language }}"}
    assert graded(grader, "Das ist ein Satz auf Deutsch.", language=" DE ").score == 1
    assert "“klingon”" in str(graded(grader, "Qapla'", language="klingon").errors["other_error_details"])


def test_a_share_is_counted_by_the_characters_of_lines() -> None:
    grader: dict[str, object] = {"type": "language", "language": "en", "measure": "share"}
    english, german = "She has three boxes of fourteen eggs.", "Sie hat drei Kisten mit vierzehn Eiern."
    receipt = graded(grader, f"{english}\n{german}\n3 * 14 = 42\n")
    assert receipt.score == pytest.approx(len(english) / (len(english) + len(german)))
    assert set((receipt.evidence or {})["languages"]) == {"en", "de"}  # type: ignore[arg-type]  # an object


def test_too_many_lines_are_flagged() -> None:
    receipt = graded({"type": "language", "measure": "share"}, "a\n" * 500_000)
    assert "at most 5000" in str(receipt.errors["other_error_details"])


@pytest.mark.parametrize("answer", ["", "42", "3 * 14 = 42", "😀", "\n"])
def test_a_text_without_letters_is_in_no_language(answer: str) -> None:
    for measure in ("whole", "share"):
        assert graded({"type": "language", "measure": measure}, answer).score == 0


def test_half_a_character_does_not_stop_the_detector() -> None:
    assert graded({"type": "language"}, "\ud800 this is still an English sentence").score == 1


def test_the_languages_are_those_of_the_model() -> None:
    assert set(_identifier().labels) - {"zxx"} == LANGUAGES


def test_only_the_harmonizing_length_reads_a_reference() -> None:
    assert item_columns(parse({"type": "length", "curve": "harmonizing"})) == {"reference"}
    assert item_columns(parse({"type": "length", "target": 9})) == set()
