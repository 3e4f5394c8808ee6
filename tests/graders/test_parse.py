from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graders import GraderError, Problem, grade, parse
from graders.parse import _KINDS
from graders.problem import TEXTS
from graders.schema import Multi, StringCheck

EXACT = {"type": "string_check"}


def multi(graders: object, formula: str = "a") -> dict[str, object]:
    return {"type": "multi", "graders": graders, "calculate_output": formula}


def problems_of(document: object) -> list[Problem]:
    with pytest.raises(GraderError) as caught:
        parse(document)
    return caught.value.problems


def problem_of(document: object) -> Problem:
    (problem,) = problems_of(document)
    return problem


def test_missing_names_are_filled_in() -> None:
    grader = parse(multi({"a": EXACT, "b": EXACT | {"name": "own"}}))
    assert isinstance(grader, Multi)
    assert grader.name == "multi"
    assert [part.name for part in grader.graders.values()] == ["a", "own"]


def test_a_grader_that_was_parsed_parses_to_itself() -> None:
    grader = parse(multi({"a": EXACT}))
    assert parse(grader.model_dump(mode="json")) == grader
    assert parse(grader) == grader


def test_the_older_name_of_ne_becomes_ne() -> None:
    grader = parse(EXACT | {"operation": "neq"})
    assert isinstance(grader, StringCheck)
    assert grader.operation == "ne"


@pytest.mark.parametrize(
    "graders",
    [{"a": EXACT}, [EXACT | {"name": "a"}], EXACT | {"name": "a"}],
    ids=["by name", "as a list", "a single one"],
)
def test_the_parts_of_a_multi_come_in_all_of_openais_forms(graders: object) -> None:
    grader = parse(multi(graders))
    assert isinstance(grader, Multi)
    assert list(grader.graders) == ["a"]
    assert grade(grader, [{"output_text": "x"}], [{"reference": "x"}])[0].score == 1


def test_a_word_that_is_no_operation_is_named_with_what_was_meant() -> None:
    problem = problem_of(multi({"a": EXACT | {"operation": "contains"}}))
    assert problem.path == "graders.a.operation"
    assert problem.value == "contains"
    assert problem.message == "“contains” is not one of eq, ne, like, ilike; did you mean ilike?"


@pytest.mark.parametrize(
    ("document", "path", "message"),
    [
        (
            {},
            "type",
            "A grader needs a “type”, one of string_check, text_similarity, number,",
        ),
        ({"type": "string-check"}, "type", "did you mean string_check?"),
        ({"type": "fuzzy"}, "type", "did you mean text_similarity?"),
        ({"type": "think_format"}, "type", "did you mean format?"),
        ({"type": "overlong"}, "type", "did you mean length?"),
        ({"type": "function_call"}, "type", "did you mean tool_call?"),
        ({"type": "format", "tags": "think"}, "tags", "think is not a list."),
        ({"type": "format", "tags": ["think", "<answer>"]}, "tags.1", "write its name without brackets"),
        ({"type": "format", "tags": ["a", "a"]}, "tags", "“a” is named twice."),
        ({"type": "format", "tags": [f"t{n}" for n in range(51)]}, "tags", "The list is longer than 50."),
        ({"type": "format"}, "sections", "Name at least one tag or section."),
        ({"type": "tool_call", "arguments": "superset"}, "arguments", "did you mean subset?"),
        ({"type": "json_schema"}, "json_schema", "json_schema needs “json_schema”."),
        ({"type": "json_schema", "schema": {}, "json_schema": {}}, "schema", "did you mean json_schema?"),
        (
            {"type": "poem"},
            "type",
            "“poem” is not one of string_check, text_similarity, number,",
        ),
        ({"type": None}, "type", "“null” is not one of"),
        ({"type": ["a"]}, "type", "“a list” is not one of"),
        ("text", "", "A grader is a JSON object with a “type”."),
        (None, "", "A grader is a JSON object"),
        ([], "", "A grader is a JSON object"),
        (EXACT | {"refrence": "x"}, "refrence", "did you mean reference?"),
        (EXACT | {"expected": "x"}, "expected", "did you mean reference?"),
        (EXACT | {"input": 5}, "input", "5 is not text: put it into quotes."),
        (EXACT | {"input": None}, "input", "null is not text"),
        (EXACT | {"input": "\ud800"}, "input", "half a character"),
        (EXACT | {"input": "{{ foo.x }}"}, "input", "“foo.x” starts with neither item nor sample."),
        (EXACT | {"reference": "{{ item.x "}, "reference", "“{{ item.x ” opens a variable that never ends with “}}”."),
        (EXACT | {"input": "x" * 100_001}, "input", "longer than 100000 characters"),
        (EXACT | {"name": "x" * 129}, "name", "longer than 128 characters"),
        (EXACT | {"pass_threshold": "high"}, "pass_threshold", "high is not a number."),
        (EXACT | {"pass_threshold": float("nan")}, "pass_threshold", "nan is not a number."),
        ({"type": "number", "absolute_tolerance": -1}, "absolute_tolerance", "-1 is less than 0."),
        ({"type": "number", "tolerance": 1}, "tolerance", "did you mean absolute_tolerance?"),
        ({"type": "number", "units": "km"}, "units", "km is not a list."),
        ({"type": "number", "units": [" "]}, "units.0", "must not be empty"),
        ({"type": "number", "unit": "km"}, "unit", "did you mean units?"),
        ({"type": "regex"}, "pattern", "regex needs “pattern”."),
        ({"type": "regex", "pattern": ""}, "pattern", "must not be empty"),
        ({"type": "regex", "pattern": "(a"}, "pattern", "RE2 cannot read this pattern: missing ): (a."),
        ({"type": "regex", "pattern": "(?=a)"}, "pattern", "look-around"),
        (
            {"type": "text_similarity", "evaluation_metric": "rouge1"},
            "evaluation_metric",
            "did you mean rouge_1?",
        ),
        (multi({"a": EXACT}, "a + bb"), "calculate_output", "“bb” is not one of the graders a."),
        (multi({"format": EXACT}, "formt"), "calculate_output", "did you mean format?"),
        (multi({"a": EXACT}, "a +"), "calculate_output", "The formula ends"),
        (multi({"a": EXACT}, ""), "calculate_output", "must not be empty"),
        (
            {"type": "multi", "graders": {"a": EXACT}, "formula": "a", "calculate_output": "a"},
            "formula",
            "calculate_output?",
        ),
        (multi({}), "graders", "must not be empty"),
        (multi("a"), "graders", "an object of graders by name, or a list"),
        (multi({"a b": EXACT}, "1"), "graders.a b", "“a b” cannot stand in a formula"),
        (multi({"a": 5}), "graders.a", "A grader is a JSON object"),
        (multi({"a": {}}), "graders.a.type", "A grader needs a “type”"),
        (multi([EXACT]), "graders", "Grader number 1 of the list has no name"),
        (multi([5]), "graders", "Grader number 1 of the list has no name"),
        (multi([EXACT | {"name": "a"}] * 2), "graders", "The name “a” is given to two graders."),
        (multi({f"g{n}": EXACT for n in range(101)}, "1"), "graders", "more than 100 graders"),
    ],
)
def test_every_problem_has_its_place_and_a_sentence(document: object, path: str, message: str) -> None:
    problem = problem_of(document)
    assert problem.path == path
    assert message in problem.message


def test_paths_are_those_of_the_json_that_was_given() -> None:
    bad = EXACT | {"name": "b", "operation": "x"}
    assert problem_of(multi([EXACT | {"name": "a"}, bad])).path == "graders.1.operation"
    assert problem_of(multi(bad, "b")).path == "graders.operation"
    assert problem_of(multi({"string_check": bad, "multi": EXACT}, "multi")).path == "graders.string_check.operation"
    nested = multi({"multi": multi([EXACT | {"name": "a"}, bad])}, "multi")
    assert problem_of(nested).path == "graders.multi.graders.1.operation"
    assert problem_of(multi({"graders": {"type": "regex"}}, "graders")).path == "graders.graders.pattern"


def test_all_problems_are_told_at_once() -> None:
    document = multi({"a": {"type": "regex", "pattern": "("}, "b": EXACT | {"operation": "x", "y": 1}}, "a + c")
    assert [problem.path for problem in problems_of(document)] == [
        "graders.a.pattern",
        "graders.b.operation",
        "graders.b.y",
    ]


def nested_multi(depth: int) -> dict[str, object]:
    document: dict[str, object] = EXACT  # type: ignore[assignment]  # dict is invariant
    for _ in range(depth):
        document = multi({"a": document})
    return document


def test_graders_stand_inside_each_other_up_to_five_deep() -> None:
    parse(nested_multi(4))
    assert problem_of(nested_multi(5)).code == "grader.too_deep"


@pytest.mark.parametrize("depth", [50, 300, 5_000])
def test_graders_nested_without_end_are_refused_with_a_sentence(depth: int) -> None:
    assert "more than 5 deep" in problem_of(nested_multi(depth)).message


def test_the_error_reads_like_a_list() -> None:
    with pytest.raises(
        GraderError, match=r"^operation: “x” is not one of eq, ne, like, ilike\.\nz: “z” is not a field"
    ):
        parse(EXACT | {"operation": "x", "z": 1})


def test_a_problem_can_be_said_in_another_language() -> None:
    problem = problem_of(EXACT | {"operation": "contains"})
    german = {
        TEXTS["grader.not_one_of"]: "„{value}“ gehört nicht zu {options}",
        "did you mean {guess}?": "meinten Sie {guess}?",
    }
    assert problem.sentence(german.__getitem__) == "„contains“ gehört nicht zu eq, ne, like, ilike; meinten Sie ilike?"


def test_a_long_value_is_shortened_in_the_sentence_and_kept_in_the_problem() -> None:
    problem = problem_of(EXACT | {"operation": "x" * 1_000_000})
    assert len(problem.message) < 200
    assert len(str(problem.value)) == 1_000_000


JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "grader",
                    "json_schema",
                    "tags",
                    "sections",
                    "units",
                    "curve",
                    "split",
                    "type",
                    "name",
                    "graders",
                    "calculate_output",
                    "input",
                    "operation",
                    "pattern",
                    "model",
                    "role",
                    "content",
                ]
            ),
            inner | st.sampled_from(["user", "a", "{{", "tokens", "pattern", *_KINDS]),
            max_size=5,
        )
    ),
    max_leaves=20,
)


@given(JSON)
def test_any_json_is_a_grader_or_a_list_of_problems(document: object) -> None:
    try:
        grade(parse(document), [{"output_text": "x"}], [{}])
    except GraderError as error:
        problems = error.problems
    else:
        return
    assert problems
    assert all(problem.message for problem in problems)
