import json
from time import perf_counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from graders import Grade, GraderError, Problem, grade, parse
from graders.json_schema import JsonSchema, typed

PERSON = {
    "type": "object",
    "properties": {"name": {"type": "string", "pattern": "^[A-Z]"}, "age": {"type": "integer", "minimum": 0}},
    "required": ["name"],
    "additionalProperties": False,
}


def graded(answer: str, schema: object = PERSON, **fields: object) -> Grade:
    document = {"type": "json_schema", "json_schema": schema} | fields
    return grade(parse(document), [{"output_text": answer}], [{}])[0]


def wrong(answer: str, schema: object = PERSON, **fields: object) -> list[str]:
    evidence = graded(answer, schema, **fields).evidence
    return [] if evidence is None else evidence["wrong"]  # type: ignore[return-value]  # a list of sentences


def problem_of(schema: object) -> Problem:
    with pytest.raises(GraderError) as caught:
        parse({"type": "json_schema", "json_schema": schema})
    (problem,) = caught.value.problems
    return problem


def test_json_that_fits_scores_1_without_a_word() -> None:
    receipt = graded(' {"name": "Ada", "age": 36}\n')
    assert (receipt.score, receipt.evidence, receipt.errors) == (1, None, {})


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ('{"name": "Ada", "age": "36"}', "$.age: '36' is not of type 'integer'"),
        ('{"age": 3}', "$: 'name' is a required property"),
        ('{"name": "ada"}', "$.name: 'ada' does not match '^[A-Z]'"),
        ('{"name": "Ada", "x": 1}', "$: additional properties are not allowed: x"),
        ('{"name": "Ada", "age": -1}', "$.age: -1 is less than the minimum of 0"),
        ("[]", "$: [] is not of type 'object'"),
    ],
)
def test_what_is_wrong_is_told_with_its_path(answer: str, said: str) -> None:
    assert graded(answer).score == 0
    assert wrong(answer) == [said]
    assert graded(answer).errors == {}


@pytest.mark.parametrize("answer", ["", "no", '{"name": "Ada"', '{"name": NaN}', "[" * 100_000, '{"a": ' + "9" * 5_000])
def test_what_is_no_json_is_wrong_and_not_an_error(answer: str) -> None:
    assert graded(answer).score == 0
    assert wrong(answer)[0].startswith("This is not JSON")


def test_only_the_first_problems_are_told_and_shortened() -> None:
    found = wrong(json.dumps(["x" * 1000] * 50), {"items": {"type": "integer"}})
    assert len(found) == 5
    assert all(len(sentence) < 100 for sentence in found)


def test_the_last_closed_block_is_taken_from_between_fences() -> None:
    text = 'First:\n```json\n{"name": 5}\n```\nBetter:\n```json\n{"name": "Ada"}\n```\nDone.'
    assert graded(text, find="fenced").score == 1
    assert graded(text + "\n```\n{", find="fenced").score == 1
    assert graded(text).score == 0
    assert wrong("no block", find="fenced") == ["There is no ``` block."]


def test_a_schema_may_come_as_in_openais_response_format() -> None:
    assert graded('{"name": "Ada"}', {"name": "person", "strict": True, "schema": PERSON}).score == 1


@pytest.mark.parametrize(
    ("schema", "message"),
    [
        ([], "a list is not a JSON object."),
        ("{}", "{} is not a JSON object."),
        ({"type": "objekt"}, "This is no JSON Schema: at $.type, 'objekt'"),
        ({"$ref": "https://example.com/a.json"}, "“https://example.com/a.json” leads out of the schema"),
        ({"items": {"$ref": "file:///etc/passwd"}}, "leads out of the schema"),
        ({"properties": {"a": {"$ref": "#/$defs/b"}}}, "“#/$defs/b” leads to nothing in the schema."),
        ({"$ref": "#"}, "refers to itself without end."),
        ({"items": {"pattern": "(?=a)"}}, "RE2 has neither look-around"),
        ({"patternProperties": {"(a": {}}}, "at $.patternProperties, '(a' is not a 'regex'"),
        ({"unevaluatedProperties": False}, "“unevaluatedProperties” is not supported"),
        ({"items": {"$dynamicRef": "#a"}}, "“$dynamicRef” is not supported"),
    ],
)
def test_a_schema_that_cannot_be_used_is_refused_at_once(schema: object, message: str) -> None:
    problem = problem_of(schema)
    assert problem.path == "json_schema"
    assert message in problem.message


def test_a_property_may_be_called_like_a_keyword_that_is_refused() -> None:
    assert graded('{"unevaluatedItems": 1}', {"properties": {"unevaluatedItems": {"type": "integer"}}}).score == 1


def test_recursive_schemas_are_followed() -> None:
    tree = {"type": "object", "properties": {"left": {"$ref": "#"}, "right": {"$ref": "#"}}, "required": ["value"]}
    assert graded('{"value": 1, "left": {"value": 2}}', tree).score == 1
    assert wrong('{"value": 1, "left": {"value": 2, "right": {}}}', tree) == [
        "$.left.right: 'value' is a required property"
    ]


def doubling(levels: int) -> dict[str, object]:
    """Each definition refers twice to the next."""
    definitions: dict[str, object] = {f"a{n}": {"anyOf": [{"$ref": f"#/$defs/a{n + 1}"}] * 2} for n in range(levels)}
    return {"$defs": definitions | {f"a{levels}": {"type": "integer"}}, "items": {"$ref": "#/$defs/a0"}}


def test_a_schema_that_takes_exponential_time_is_stopped() -> None:
    started = perf_counter()
    receipt = graded('["x"]', doubling(40))
    assert "too much work" in str(receipt.errors["other_error_details"])
    assert perf_counter() - started < 30
    assert problem_of({"$ref": "#/$defs/a0", "$defs": doubling(40)["$defs"]}).code == "json_schema.too_much"


@pytest.mark.parametrize(
    ("schema", "answer"),
    [
        ({"pattern": "^(a+)+$"}, json.dumps("a" * 50_000 + "!")),
        ({"uniqueItems": True}, json.dumps([{"a": n} for n in range(20_000)])),
        ({"anyOf": [{"type": "string"}] * 1000}, json.dumps([["x" * 100] * 10_000])),
        ({"patternProperties": {f"^{n}": {} for n in range(1000)}}, json.dumps({str(n): 1 for n in range(10_000)})),
        ({"enum": [[n] for n in range(1000)]}, json.dumps([["x"] * 100_000])),
    ],
)
def test_huge_answers_end(schema: object, answer: str) -> None:
    started = perf_counter()
    assert graded(answer, schema).score is not None
    assert perf_counter() - started < 30


def test_a_schema_that_nests_without_end_is_refused() -> None:
    schema: dict[str, Any] = {}
    for _ in range(400):
        schema = {"not": schema}
    with pytest.raises(GraderError):
        parse({"type": "json_schema", "json_schema": schema})


def test_types_are_told_apart_as_json_does() -> None:
    assert typed(5) == typed(5.0)
    assert typed({"a": [1, None]}) == typed({"a": [1.0, None]})
    for one, other in ((1, True), ("5", 5), (0, False), (None, "None"), ([], {}), ([1], [[1]]), ({"a": 1}, ["a", 1])):
        assert typed(one) != typed(other)


JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.text("ab", max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=8,
)
SCHEMAS: st.SearchStrategy[Any] = st.recursive(
    st.fixed_dictionaries(
        {},
        optional={
            "type": st.sampled_from(["object", "array", "string", "integer", "null", "boolean"]),
            "required": st.lists(st.sampled_from("abc"), unique=True),
            "pattern": st.sampled_from(["^a", "b$", "a+b"]),
            "uniqueItems": st.booleans(),
            "maxItems": st.integers(0, 3),
            "const": st.integers(0, 2) | st.booleans(),
        },
    ),
    lambda inner: st.fixed_dictionaries(
        {},
        optional={
            "properties": st.dictionaries(st.sampled_from("abc"), inner, max_size=2),
            "patternProperties": st.dictionaries(st.sampled_from(["^a", "[bc]"]), inner, max_size=2),
            "additionalProperties": inner | st.booleans(),
            "items": inner,
            "anyOf": st.lists(inner, min_size=1, max_size=2),
            "not": inner,
        },
    ),
    max_leaves=6,
)


@given(SCHEMAS, JSON)
def test_it_agrees_with_jsonschema_as_it_comes(schema: dict[str, Any], answer: object) -> None:
    assert (JsonSchema(schema).problems(answer) == []) == Draft202012Validator(schema).is_valid(answer)
