import math
from collections.abc import Sequence
from typing import Any

import pytest

from graders import (
    Conversation,
    Grade,
    GraderError,
    Port,
    Unreachable,
    grade,
    item_columns,
    models_of,
    parse,
)

QUALITY = {"type": "reward_model", "model": "quality"}
QUESTION = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Why?"}]


class ByLength:
    """Scores the last message by its length, and remembers what it was asked."""

    def __init__(self, longest: int = 100) -> None:
        self.longest = longest
        self.asked: list[tuple[str, list[Conversation]]] = []

    def score(self, model: str, conversations: Sequence[Conversation]) -> list[float | None]:
        self.asked.append((model, list(conversations)))
        lengths = [len(conversation[-1]["content"]) for conversation in conversations]
        return [float(n) if n <= self.longest else None for n in lengths]


class Out:
    """Scorers whose machine is gone."""

    def score(self, model: str, conversations: Sequence[Conversation]) -> list[float | None]:
        raise Unreachable(f"{model} is out.")


def sample(text: str) -> dict[str, object]:
    return {"output_text": text, "prompt": QUESTION}


def graded(document: object, *texts: str, scorers: Any = None, item: dict[str, object] | None = None) -> list[Grade]:
    port = Port(scorers=scorers or ByLength())
    return grade(parse(document), [sample(text) for text in texts], [item or {}] * len(texts), port)


def test_the_prompt_and_the_answer_are_scored_all_at_once() -> None:
    scorers = ByLength()
    assert [one.score for one in graded(QUALITY, "a", "abc", scorers=scorers)] == [1, 3]
    ((model, conversations),) = scorers.asked
    assert model == "quality"
    assert conversations[1] == [*QUESTION, {"role": "assistant", "content": "abc"}]


def test_a_conversation_can_be_put_together_from_templates() -> None:
    turns = [
        {"role": "user", "content": "{{ sample.prompt[-1].content }} ({{ item.hint }})"},
        {"type": "message", "role": "assistant", "content": "{{ sample.output_text }}!"},
    ]
    scorers = ByLength()
    (receipt,) = graded(QUALITY | {"input": turns}, "So", scorers=scorers, item={"hint": "really"})
    assert receipt.score == 3
    assert [turn["content"] for turn in scorers.asked[0][1][0]] == ["Why? (really)", "So!"]
    assert item_columns(parse(QUALITY | {"input": turns})) == {"hint"}


def test_a_sigmoid_brings_any_score_between_0_and_1() -> None:
    class Extremes:
        def score(self, model: str, conversations: Sequence[Conversation]) -> list[float | None]:
            return [-1e6, 0.0, 1.0, 1e6]

    scores = [one.score for one in graded(QUALITY | {"scale": "sigmoid"}, *"abcd", scorers=Extremes())]
    assert scores == [0, 0.5, pytest.approx(1 / (1 + math.exp(-1))), 1]


def test_without_a_port_nothing_is_scored_and_the_receipt_says_so() -> None:
    (receipt,) = grade(parse(QUALITY), [sample("a")], [{}])
    assert receipt.score is None
    assert receipt.passed is None
    assert receipt.errors == {
        "model_grader_server_error": True,
        "model_grader_server_error_details": "The reward model “quality” cannot be asked here.",
    }


def test_a_scorer_that_is_out_of_reach_scores_nothing_and_never_0() -> None:
    receipts = graded(QUALITY, "a", "b", scorers=Out())
    assert [one.score for one in receipts] == [None, None]
    assert receipts[0].errors["model_grader_server_error_details"] == "quality is out."
    assert receipts[0].errors is not receipts[1].errors


def test_a_conversation_that_is_too_long_harms_no_other() -> None:
    receipts = graded(QUALITY, "a" * 9, "a", scorers=ByLength(longest=5))
    assert [one.score for one in receipts] == [None, 1]
    assert "longer than" in str(receipts[0].errors["other_error_details"])


@pytest.mark.parametrize("score", [math.nan, math.inf])
def test_what_is_no_number_is_no_score(score: float) -> None:
    class Broken:
        def score(self, model: str, conversations: Sequence[Conversation]) -> list[float | None]:
            return [score for _ in conversations]

    (receipt,) = graded(QUALITY, "a", scorers=Broken())
    assert receipt.score is None
    assert receipt.errors["model_grader_parse_error"] is True


@pytest.mark.parametrize(
    "broken",
    [{"output_text": "a"}, {"prompt": QUESTION}, {"output_text": "a", "prompt": "Why?"}]
    + [{"output_text": "a", "prompt": [turn]} for turn in ("Why?", {"role": "user"}, {"role": 1, "content": "a"})],
    ids=repr,
)
def test_a_sample_without_its_conversation_is_not_asked_about(broken: dict[str, object]) -> None:
    scorers = ByLength()
    receipts = grade(parse(QUALITY), [broken, sample("abc")], [{}, {}], Port(scorers=scorers))
    assert [one.score for one in receipts] == [None, 3]
    assert receipts[0].errors["invalid_variable_error"] is True
    assert len(scorers.asked[0][1]) == 1


def test_a_template_without_its_column_is_not_scored() -> None:
    turns = [{"role": "user", "content": "{{ item.gone }}"}]
    (receipt,) = graded(QUALITY | {"input": turns}, "a")
    assert receipt.score is None
    assert "item.gone" in str(receipt.errors["invalid_variable_error_details"])


def test_in_a_multi_the_other_parts_are_graded_where_no_model_is() -> None:
    document = {
        "type": "multi",
        "graders": {"quality": QUALITY, "brief": {"type": "regex", "pattern": "^.{1,8}$"}},
        "calculate_output": "quality + brief",
    }
    (whole,) = grade(parse(document), [sample("abc")], [{}])
    assert (whole.score, whole.sub["quality"].score, whole.sub["brief"].score) == (None, None, 1)
    assert "quality: The reward model" in str(whole.errors["model_grader_server_error_details"])
    assert graded(document, "abc")[0].score == 4


def test_the_models_of_all_parts_are_listed_with_their_places() -> None:
    inner = {"type": "multi", "graders": {"c": QUALITY | {"model": "c"}}, "calculate_output": "c"}
    parts = {"a": QUALITY, "b": QUALITY, "inner": inner, "n": {"type": "number"}}
    document = {"type": "multi", "graders": parts, "calculate_output": "a + b + inner + n"}
    assert models_of(parse(document)) == {"quality": "graders.a.model", "c": "graders.inner.graders.c.model"}
    assert models_of(parse(QUALITY)) == {"quality": "model"}
    assert models_of(parse({"type": "number"})) == {}


def test_a_grader_that_was_parsed_parses_to_itself() -> None:
    grader = parse(QUALITY | {"input": [{"role": "user", "content": "{{ item.a }}"}]})
    assert parse(grader.model_dump(mode="json")) == grader


@pytest.mark.parametrize(
    ("fields", "path", "message"),
    [
        ({"model": ""}, "model", "must not be empty"),
        ({"input": []}, "input", "a list of messages"),
        ({"input": "{{ sample.output_text }}"}, "input", "a list of messages"),
        ({"input": [{"role": "user"}]}, "input", "a list of messages"),
        ({"input": [{"role": "user", "content": "", "name": "x"}]}, "input", "a list of messages"),
        ({"input": [{"role": "robot", "content": ""}]}, "input.0.role", "not one of system, developer, user"),
        ({"input": [{"role": "user", "content": 5}]}, "input.0.content", "not text"),
        ({"input": [{"role": "user", "content": "{{ x"}]}, "input.0.content", "never ends"),
        ({"scale": "minmax"}, "scale", "not one of none, sigmoid"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_is_wrong_is_said_with_its_place(fields: dict[str, object], path: str, message: str) -> None:
    document = {"type": "multi", "graders": {"a": QUALITY | fields}, "calculate_output": "a"}
    with pytest.raises(GraderError) as caught:
        parse(document)
    (problem,) = caught.value.problems
    assert problem.path == f"graders.a.{path}"
    assert message in problem.message
