from collections.abc import Sequence
from time import perf_counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graders import Conversation, Grade, GraderError, Port, grade, item_columns, models_of, parse
from graders.schema import Steps

GOOD = {"type": "regex", "pattern": "good"}
STEPS = {"type": "steps", "grader": GOOD}
NUMBER = {"type": "number", "reference": "1"}


def graded(answer: str, **fields: object) -> Grade:
    return grade(parse(STEPS | fields), [{"output_text": answer}], [{"reference": "good"}])[0]


def found(answer: str, **fields: object) -> list[object]:
    """The steps that an answer was taken apart into."""
    steps = (graded(answer, **fields).evidence or {})["steps"]
    assert isinstance(steps, list)
    return [step["step"] for step in steps if isinstance(step, dict)]


@pytest.mark.parametrize(
    ("fields", "answer", "steps"),
    [
        ({}, "one\nstill one\n\ntwo\n \n\n\nthree\n", ["one\nstill one", "two", "three"]),
        ({"split": "line"}, "one\n\ntwo\r\nthree", ["one", "two", "three"]),
        (
            {"split": "step"},
            "Well.\nStep 1: a\nb\n**Step 2** c\n## STEP 3\nd",
            ["Well.", "Step 1: a\nb", "**Step 2** c", "## STEP 3\nd"],
        ),
        ({"split": "step"}, "步骤1：甲\n第二步：乙\n", ["步骤1：甲", "第二步：乙"]),
        ({"split": "step"}, "no mark: a step by step answer", ["no mark: a step by step answer"]),
        ({"split": "pattern", "pattern": r"\[\d+\]"}, "[1] a [2] b", ["[1] a", "[2] b"]),
        ({"split": "pattern", "pattern": "x*"}, "ab", ["a", "b"]),
        ({"max_steps": 2}, "a\n\nb\n\nc", ["a", "b\n\nc"]),
        ({"split": "line"}, "好\n\ud800", ["好", "?"]),
    ],
)
def test_an_answer_is_taken_apart_where_steps_begin(fields: dict[str, object], answer: str, steps: list[str]) -> None:
    assert found(answer, **fields) == steps


@pytest.mark.parametrize(("aggregate", "score"), [("mean", 3.5 / 3), ("min", 0.5), ("product", 1.0), ("last", 2.0)])
def test_the_steps_scores_are_put_together(aggregate: str, score: float) -> None:
    by_length = {"type": "length", "curve": "harmonizing", "unit": "characters", "reference": "6"}  # 6 / length - 1
    assert graded("aaa\n\naaaa\n\naa", grader=by_length, aggregate=aggregate).score == pytest.approx(score)


def test_each_step_is_shown_with_its_score() -> None:
    receipt = graded("good\n\nbad")
    assert receipt.evidence == {"steps": [{"step": "good", "score": 1.0}, {"step": "bad", "score": 0.0}]}
    assert receipt.sub == {}


def test_a_pattern_counts_only_where_it_is_asked_for() -> None:
    assert found("a-b\n\nc", split="blank_line", pattern="-") == ["a-b", "c"]


def test_an_answer_without_steps_scores_0() -> None:
    for aggregate in ("mean", "min", "product", "last"):
        receipt = graded(" \n\n ", aggregate=aggregate)
        assert (receipt.score, receipt.errors, receipt.evidence) == (0, {}, {"steps": []})


def test_the_row_is_there_for_every_step() -> None:
    assert graded("good\n\nbad", grader={"type": "string_check"}).score == 0.5


def test_what_stood_before_is_told_to_who_asks_for_it() -> None:
    grader = {"type": "string_check", "input": "{{ sample.previous_steps }}", "reference": "a\n\nb"}
    assert graded("a\n\nb\n\nc", grader=grader, aggregate="last").score == 1
    assert graded("a\n\nb\n\nc", grader=grader, aggregate="mean").score == pytest.approx(1 / 3)


def test_what_is_wrong_with_a_step_is_said_of_the_whole() -> None:
    receipt = graded("a\n\nb", grader={"type": "string_check", "reference": "{{ item.gone }}"})
    assert receipt.score == 0
    assert receipt.errors["invalid_variable_error"] is True
    assert str(receipt.errors["invalid_variable_error_details"]).startswith("step 1: There is no “item.gone”")


class OnlyShort:
    """Scores what is short, and not the rest."""

    def score(self, model: str, conversations: Sequence[Conversation]) -> list[float | None]:
        texts = [conversation[-1]["content"] for conversation in conversations]
        self.asked = texts
        return [1.0 if len(text) < 3 else None for text in texts]


def test_where_a_step_is_not_scored_the_whole_is_not() -> None:
    grader = parse(STEPS | {"grader": {"type": "reward_model", "model": "taste"}})
    scorers = OnlyShort()
    samples: list[dict[str, object]] = [{"output_text": text, "prompt": []} for text in ("a\n\nb", "a\n\nlong")]
    receipts = grade(grader, samples, [{}, {}], Port(scorers=scorers))
    assert [receipt.score for receipt in receipts] == [1, None]
    assert receipts[1].errors["other_error"] is True
    assert scorers.asked == ["a", "b", "a", "long"]  # all steps of a batch at once


def test_one_sample_that_cannot_be_read_harms_no_other() -> None:
    receipts = grade(parse(STEPS), [{}, {"output_text": "good"}], [{}, {}])
    assert [receipt.score for receipt in receipts] == [0, 1]
    assert grade(parse(STEPS), [], []) == []


def test_what_the_inner_grader_needs_is_known() -> None:
    inner = {"type": "multi", "graders": {"a": {"type": "reward_model", "model": "taste"}}, "calculate_output": "a"}
    assert models_of(parse(STEPS | {"grader": inner})) == {"taste": "grader.graders.a.model"}
    assert item_columns(parse(STEPS | {"grader": {"type": "string_check"}})) == {"reference"}


def test_the_inner_grader_gets_a_name() -> None:
    grader = parse(STEPS)
    assert isinstance(grader, Steps)
    assert grader.grader.name == "step"
    assert parse(grader.model_dump(mode="json")) == grader


def nested(depth: int) -> dict[str, object]:
    document: dict[str, object] = dict(GOOD)
    for _ in range(depth):
        document = {"type": "steps", "grader": document}
    return document


@pytest.mark.parametrize(
    ("grader", "path", "message"),
    [
        ({"type": "steps"}, "grader", "steps needs “grader”."),
        (STEPS | {"grader": 5}, "grader", "A grader is a JSON object with a “type”."),
        (STEPS | {"grader": {}}, "grader.type", "A grader needs a “type”"),
        (STEPS | {"grader": {"type": "regex"}}, "grader.pattern", "regex needs “pattern”."),
        (
            STEPS | {"grader": STEPS | {"grader": {"type": "number", "pick": "x"}}},
            "grader.grader.pick",
            "is not one of",
        ),
        (STEPS | {"split": "pattern"}, "pattern", "To split at a pattern, give a “pattern”."),
        (STEPS | {"split": "pattern", "pattern": "(?=a)"}, "pattern", "look-around"),
        (STEPS | {"aggregate": "average"}, "aggregate", "did you mean mean?"),
        (STEPS | {"max_steps": 0}, "max_steps", "0 is less than 1."),
        ({"type": "prm"}, "type", "did you mean steps?"),
        (nested(5), "grader", "more than 5 deep"),
    ],
)
def test_every_problem_has_its_place_and_a_sentence(grader: object, path: str, message: str) -> None:
    with pytest.raises(GraderError) as caught:
        parse(grader)
    (problem,) = caught.value.problems
    assert problem.path == path
    assert message in problem.message


def test_steps_stand_inside_other_graders() -> None:
    assert grade(parse(nested(4)), [{"output_text": "good"}], [{}])[0].score == 1
    combined = parse({"type": "multi", "graders": {"all": STEPS, "n": NUMBER}, "calculate_output": "all + n"})
    assert grade(combined, [{"output_text": "good\n\n1"}], [{}])[0].score == 1.5


def test_a_megabyte_is_taken_apart_or_flagged_in_seconds() -> None:
    started = perf_counter()
    for split in ("blank_line", "line", "step"):
        receipt = graded("step 1\n\n" * 125_000, split=split)
        assert (receipt.score, receipt.errors) == (0, {})
    hard = graded("a" * 1_000_000, split="pattern", pattern="a.*b|a")
    assert "too long for this pattern" in str(hard.errors["other_error_details"])
    assert perf_counter() - started < 60


@given(st.text("ab \n", max_size=30), st.integers(1, 5), st.sampled_from(["blank_line", "line", "step"]))
def test_nothing_of_an_answer_is_left_out(answer: str, most: int, split: str) -> None:
    steps = found(answer, split=split, max_steps=most)
    assert len(steps) <= most
    assert "".join("".join(map(str, steps)).split()) == "".join(answer.split())
