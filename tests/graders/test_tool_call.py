import json
from time import perf_counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graders import Grade, grade, parse

WEATHER = {"name": "weather", "arguments": {"city": "Rome", "days": 3}}
TIME = {"name": "time", "arguments": {}}


def openai(name: str, arguments: object) -> dict[str, object]:
    written = arguments if isinstance(arguments, str) else json.dumps(arguments)
    return {"id": "call_1", "type": "function", "function": {"name": name, "arguments": written}}


def graded(made: object, right: object, **fields: object) -> Grade:
    (receipt,) = grade(parse({"type": "tool_call"} | fields), [{"output_tools": made}], [{"reference": right}])
    return receipt


def score(made: object, right: object, **fields: object) -> float | None:
    return graded(made, right, **fields).score


def test_the_right_call_scores_1_however_the_reference_writes_it() -> None:
    made = [openai("weather", {"days": 3, "city": "Rome"})]
    for right in (WEATHER, [WEATHER], json.dumps([WEATHER]), [openai("weather", WEATHER["arguments"])]):
        assert score(made, right) == 1
    fixed = parse({"type": "tool_call", "reference": json.dumps(WEATHER)})
    assert grade(fixed, [{"output_tools": made}], [{}])[0].score == 1


@pytest.mark.parametrize(
    "arguments",
    [
        {"city": "Rome", "days": "3"},
        {"city": "Rome", "days": True},
        {"city": "rome", "days": 3},
        {"city": "Rome"},
        {"city": "Rome", "days": 3, "unit": "C"},
        {"city": ["Rome"], "days": 3},
    ],
)
def test_arguments_are_typed_and_all_count(arguments: object) -> None:
    assert score([openai("weather", arguments)], WEATHER) == 0
    assert score([openai("weather", arguments)], WEATHER, arguments="ignore") == 1


def test_a_whole_number_is_the_same_with_and_without_a_point() -> None:
    assert score([openai("weather", {"city": "Rome", "days": 3.0})], WEATHER) == 1


def test_other_arguments_may_stand_beside_a_subset() -> None:
    more = openai("weather", {"city": "Rome", "days": 3, "unit": "C"})
    assert score([more], WEATHER, arguments="subset") == 1
    assert score([openai("weather", {"city": "Rome"})], WEATHER, arguments="subset") == 0


def test_the_order_counts_unless_it_may_be_any() -> None:
    made = [openai("time", {}), openai("weather", WEATHER["arguments"])]
    assert score(made, [WEATHER, TIME]) == 0
    assert score(made, [WEATHER, TIME], order="any") == 1
    assert score(made, [TIME, WEATHER]) == 1


def test_calls_too_many_or_too_few_are_wrong() -> None:
    made = [openai("time", {})]
    assert score(made * 2, TIME) == 0
    assert score(made, [TIME, TIME]) == 0
    assert score([], TIME) == 0
    assert score(made, []) == 0


def test_no_call_is_right_where_none_is_wanted() -> None:
    assert score(None, []) == 1
    assert score([], "[]") == 1
    assert score([], "") == 1


def test_partial_credit_is_a_tenth_for_the_name_and_the_rest_for_arguments() -> None:
    def partly(made: object, right: object = WEATHER, **fields: object) -> float | None:
        return score(made, right, partial_credit=True, **fields)

    assert partly([openai("weather", WEATHER["arguments"])]) == 1
    assert partly([openai("weather", {"city": "Rome", "days": 4})]) == pytest.approx(0.1 + 0.9 / 2)
    assert partly([openai("weather", {"city": "Oslo", "days": 4})]) == pytest.approx(0.1)
    assert partly([openai("weather", "{broken")]) == pytest.approx(0.1)
    assert partly([openai("time", {})]) == 0
    assert partly([openai("weather", WEATHER["arguments"])], [WEATHER, TIME]) == 0.5
    assert partly([openai("time", {}), openai("weather", WEATHER["arguments"])], [WEATHER, TIME]) == 0
    assert partly([openai("time", {}), openai("weather", WEATHER["arguments"])], [WEATHER], order="any") == 0.5


def test_what_was_called_and_what_was_right_is_the_evidence() -> None:
    receipt = graded([openai("time", {})], WEATHER)
    assert receipt.evidence == {"called": ["time()"], "right": ['weather({"city": "Rome", "days": 3})']}
    assert graded([openai("time", {})], TIME).evidence is None


def test_calls_that_a_model_writes_into_its_text_are_read() -> None:
    text = f"I look.\n<tool_call>\n{json.dumps(WEATHER)}\n</tool_call><tool_call>{json.dumps(TIME)}</tool_call>"
    (receipt,) = grade(parse({"type": "tool_call"}), [{"output_text": text}], [{"reference": [WEATHER, TIME]}])
    assert receipt.score == 1
    (receipt,) = grade(
        parse({"type": "tool_call"}), [{"output_text": "<tool_call>{</tool_call>"}], [{"reference": TIME}]
    )
    assert (receipt.score, receipt.errors) == (0, {})


@pytest.mark.parametrize("part", ["<tool_call>", "</tool_call>", "<tool_call>{", "<tool_call>{}</tool_call>"])
def test_a_megabyte_of_written_calls_is_read_in_seconds(part: str) -> None:
    started = perf_counter()
    sample = {"output_text": part * (1_000_000 // len(part))}
    (receipt,) = grade(parse({"type": "tool_call"}), [sample], [{"reference": TIME}])
    assert receipt.score == 0
    assert perf_counter() - started < 30


def test_a_sample_without_calls_and_text_is_flagged() -> None:
    (receipt,) = grade(parse({"type": "tool_call"}), [{}], [{"reference": []}])
    assert receipt.errors["invalid_variable_error"] is True


@pytest.mark.parametrize(
    "right", ["weather", 5, [5], {"arguments": {}}, {"name": "f", "arguments": "{"}, "[" * 100_000]
)
def test_a_reference_that_holds_no_calls_is_flagged(right: object) -> None:
    receipt = graded([openai("time", {})], right)
    assert receipt.score == 0
    assert "reference" in str(receipt.errors["other_error_details"])


@pytest.mark.parametrize(
    "made",
    [5, "time", [5], [{}], [{"function": 5}], [{"name": 5}], [openai("time", "[" * 100_000)], [openai("time", "5")]],
)
def test_calls_that_cannot_be_read_are_wrong_and_no_error(made: object) -> None:
    receipt = graded(made, TIME)
    assert (receipt.score, receipt.errors) == (0, {})


def test_more_calls_than_anyone_makes_are_flagged() -> None:
    assert "More than 100" in str(graded([openai("time", {})] * 101, TIME).errors["other_error_details"])
    assert score([openai("time", {})] * 100, [TIME] * 100, order="any") == 1


VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 2) | st.text("ab", max_size=2),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("ab"), inner, max_size=2),
    max_leaves=4,
)
CALLS = st.lists(
    st.fixed_dictionaries(
        {"name": st.sampled_from("fg"), "arguments": st.dictionaries(st.sampled_from("xy"), VALUES, max_size=2)}
    ),
    max_size=3,
)


@given(CALLS, CALLS, st.sampled_from(["exact", "subset", "ignore"]), st.sampled_from(["same", "any"]))
def test_partial_credit_is_whole_only_where_everything_agrees(
    made: list[Any], right: list[Any], arguments: str, order: str
) -> None:
    mode = {"arguments": arguments, "order": order}
    partly = score(made, right, partial_credit=True, **mode)
    assert partly is not None
    assert 0 <= partly <= 1
    assert (partly == 1) == (score(made, right, **mode) == 1)
    assert score(right, right, **mode) == 1
