import string
from time import perf_counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rouge_score.rouge_scorer import RougeScorer

from graders import Grade, grade, parse

GUIDE = "It is a guide to action which ensures that the military always obeys the commands of the party"
REFERENCE = "It is a guide to action that ensures that the military will forever heed Party commands"
METRICS = ["bleu", "gleu", "meteor", *(f"rouge_{n}" for n in (1, 2, 3, 4, 5, "l"))]


def graded(metric: str, text: str, reference: str) -> Grade:
    grader = parse({"type": "text_similarity", "evaluation_metric": metric})
    return grade(grader, [{"output_text": text}], [{"reference": reference}])[0]


def score(metric: str, text: str, reference: str) -> float:
    found = graded(metric, text, reference).score
    assert found is not None
    return found


# A published table of what nltk 3.9.1, rouge-score 0.1.2 and sacrebleu 2.6.0 give: BLEU is sacrebleu's, ROUGE is F.
@pytest.mark.parametrize(
    ("text", "reference", "bleu", "gleu", "meteor", "rouge_1", "rouge_2", "rouge_l"),
    [
        ("fuzzy wuzzy was a bear", "fuzzy wuzzy had no hair", 0.2136, 0.2143, 0.375, 0.4, 0.25, 0.4),
        ("The graded text", "The reference text", 0.3467, 0.3333, 0.3333, 0.6667, 0, 0.6667),
        ("gallstone ileus", "gall stone ileus", 0.3033, 0.1667, 0.1724, 0.4, 0, 0.4),
        (GUIDE, REFERENCE, 0.4118, 0.4394, 0.6944, 0.7059, 0.5, 0.6471),
        ("The cat is on the mat", "the cat is on the mat", 0.7598, 0.7778, 0.9977, 1, 1, 1),
    ],
)
def test_metrics_are_those_of_the_published_table(
    text: str, reference: str, bleu: float, gleu: float, meteor: float, rouge_1: float, rouge_2: float, rouge_l: float
) -> None:
    values = {"bleu": bleu, "gleu": gleu, "meteor": meteor, "rouge_1": rouge_1, "rouge_2": rouge_2, "rouge_l": rouge_l}
    for metric, value in values.items():
        assert score(metric, text, reference) == pytest.approx(value, abs=5e-5), metric


def test_the_traps_of_these_metrics_are_as_documented() -> None:
    assert score("meteor", "one two three four", "one two three four") == pytest.approx(0.992, abs=5e-4)
    assert score("rouge_5", "one two three four", "one two three four") == 0
    assert score("bleu", "one two", "one two") == 1


@pytest.mark.parametrize("metric", METRICS)
def test_chinese_is_compared_by_its_characters(metric: str) -> None:
    assert score(metric, "她每天赚十八美元", "她每天赚十八美元") > 0.98
    assert 0 < score(metric, "她每天赚十九美元啊", "她每天赚十八美元啊") < 1 or metric in ("rouge_5",)
    assert score(metric, "她每天赚十八美元", "今晚下雨") < 0.1


@pytest.mark.parametrize("metric", METRICS)
def test_empty_texts_share_nothing(metric: str) -> None:
    for text, reference in (("", ""), ("a", ""), ("", "a"), (" ", "\n")):
        assert score(metric, text, reference) == 0


@pytest.mark.parametrize("metric", METRICS)
def test_texts_too_long_are_flagged_and_long_ones_end(metric: str) -> None:
    started = perf_counter()
    receipt = graded(metric, "a " * 300_000, "b " * 300_000)
    assert receipt.score == 0
    assert "too long" in str(receipt.errors["other_error_details"])
    assert graded(metric, "the cat sat " * 10_000, "a cat sat on").score is not None
    assert perf_counter() - started < 60


@pytest.mark.parametrize("metric", METRICS)
@given(text=st.text("ab .\ud800好", max_size=12), reference=st.text("ab .", max_size=12))
@settings(deadline=None, max_examples=30)
def test_every_score_lies_between_0_and_1(metric: str, text: str, reference: str) -> None:
    assert 0 <= score(metric, text, reference) <= 1


@given(st.text(string.ascii_letters[:4] + " _-1", max_size=30), st.text(string.ascii_letters[:4] + " _-1", max_size=30))
@settings(deadline=None)
def test_rouge_is_the_libraries_own_where_letters_are_a_to_z(text: str, reference: str) -> None:
    bare = RougeScorer(["rouge1", "rouge2", "rougeL"]).score(reference, text)
    found = [score(f"rouge_{part}", text, reference) for part in ("1", "2", "l")]
    assert found == pytest.approx([bare[name].fmeasure for name in ("rouge1", "rouge2", "rougeL")])
