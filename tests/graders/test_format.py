from time import perf_counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graders import Grade, grade, parse

THINK = {"type": "format", "tags": ["think", "answer"]}
GOOD = "<think>16 - 7 = 9</think>\n<answer>9</answer>\n"


def graded(answer: str, **fields: object) -> Grade:
    return grade(parse(THINK | fields), [{"output_text": answer}], [{}])[0]


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ("<think>a</think>", "<answer> is missing."),
        ("<think>a<answer>b</answer>", "</think> is missing."),
        (GOOD + "<think>again</think>", "<think> stands there 2 times."),
        ("</think>a<think><answer>b</answer>", "</think> stands before <think>."),
        ("<answer>b</answer><think>a</think>", "The tags do not stand in their order."),
        ("<think>a<answer>b</answer></think>", "The tags do not stand in their order."),
        ("Well. " + GOOD, "“Well.” stands outside of the tags."),
        ("<think>a</think> so <answer>b</answer>", "“so” stands outside of the tags."),
        (GOOD + "Bye.", "“Bye.” stands after the last tag."),
        ("no tags", "Text stands outside of the tags."),
        ("<Think>a</Think><answer>b</answer>", "<think> is missing."),
    ],
)
def test_what_is_not_as_it_should_be_is_told(answer: str, said: str) -> None:
    receipt = graded(answer)
    assert receipt.score == 0
    assert receipt.errors == {}
    assert said in (receipt.evidence or {})["wrong"]  # type: ignore[operator]  # a list of sentences


def test_each_tag_once_in_order_and_nothing_else_is_right() -> None:
    assert graded(GOOD).score == 1
    assert graded(GOOD).evidence is None


# The documented example of TRL's think_format_reward.
def test_thinking_and_then_an_answer_scores_as_trl_documents() -> None:
    answers = [
        "<think>\nThis is my reasoning.\n</think>\nThis is my answer.",
        "<think>\nThis is my reasoning.\nThis is my answer.",
    ]
    assert [graded(answer, tags=["think"], outside="after").score for answer in answers] == [1.0, 0.0]


def test_text_may_stand_outside_where_that_is_allowed() -> None:
    assert graded(GOOD + "Bye.", outside="after").score == 1
    assert graded("Well. " + GOOD, outside="after").score == 0
    assert graded("Well. " + GOOD + "Bye.", outside="anything").score == 1


def test_partial_credit_is_the_share_of_checks_that_hold() -> None:
    assert graded(GOOD, partial_credit=True).score == 1
    assert graded(GOOD + "Bye.", partial_credit=True).score == 0.75
    assert graded("<think>a</think>", partial_credit=True).score == 0.5
    assert graded("nothing", partial_credit=True).score == 0


def test_sections_begin_lines_in_their_order() -> None:
    fields = {"tags": [], "sections": ["## Plan", "## Answer"]}
    assert graded("Hello\n## Plan\n…\n## Answer: 5", **fields).score == 1
    assert graded("## Answer\n## Plan", **fields).score == 0
    assert graded("## Plan\nsee ## Answer", **fields).score == 0
    assert graded("## Plan\n## Planning\n## Answer", **fields).score == 1
    assert graded("## Plan\n## Plan\n## Answer", **fields).score == 0
    assert graded("## Plan\n", partial_credit=True, **fields).score == pytest.approx(1 / 3)
    assert graded("## 计划\n…", tags=[], sections=["## 计划"]).score == 1


def test_a_megabyte_of_tags_is_read_in_a_moment() -> None:
    started = perf_counter()
    assert graded("<think>" * 150_000).score == 0
    assert graded("## Plan\n" * 150_000, tags=[], sections=["## Plan"]).score == 0
    assert graded(" \n" * 500_000 + GOOD).score == 1
    assert perf_counter() - started < 20


@given(st.lists(st.sampled_from(["<think>", "</think>", "<answer>", "</answer>", "x", " "]), max_size=8))
def test_only_the_right_shape_scores_1(parts: list[str]) -> None:
    text = "".join(parts)
    inner = [part for part in parts if part.strip() and part != "x"]
    order_is_right = inner == ["<think>", "</think>", "<answer>", "</answer>"]
    score = graded(text, outside="anything").score
    assert (score == 1) == order_is_right
    partly = graded(text, partial_credit=True).score
    assert partly is not None
    assert 0 <= partly <= 1
    assert (partly == 1) == (graded(text).score == 1)
