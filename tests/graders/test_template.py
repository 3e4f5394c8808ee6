import json
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graders.problem import Mistake
from graders.receipt import Flagged
from graders.template import columns, compile_template

JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)
TOOL_CALL: dict[str, object] = {"output_tools": [{"function": {"name": "search", "arguments": '{"q": 1}'}}]}


def rendered(template: str, sample: dict[str, object] | None = None, item: dict[str, object] | None = None) -> str:
    return compile_template(template)(sample or {}, item or {})


def mistake_in(template: str) -> Mistake:
    with pytest.raises(Mistake) as caught:
        compile_template(template)
    return caught.value


def test_variables_stand_in_the_text_with_or_without_spaces() -> None:
    template = "{{item.a}} and {{ item.b }}: {{   sample.output_text   }}!"
    assert rendered(template, {"output_text": "x"}, {"a": "1", "b": "2"}) == "1 and 2: x!"


def test_a_template_without_variables_is_itself() -> None:
    assert rendered("42") == "42"
    assert rendered("") == ""


def test_paths_reach_into_objects_and_lists() -> None:
    assert rendered("{{ sample.output_tools[0].function.name }}", TOOL_CALL) == "search"
    assert rendered("{{ item.rows[1][0] }}{{ item.rows[-1][-1] }}", item={"rows": [["a"], ["b", "c"]]}) == "bc"


def test_names_with_dots_and_spaces_stand_in_brackets() -> None:
    item: dict[str, object] = {"the answer": {"a.b": "7"}}
    assert rendered("""{{ item['the answer']["a.b"] }}""", item=item) == "7"


def test_names_may_be_in_any_script_and_hold_hyphens() -> None:
    assert rendered("{{ item.答案 }}{{ item.right-one }}", item={"答案": "四", "right-one": "2"}) == "四2"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("as it is\n", "as it is\n"),
        (42, "42"),
        (4.5, "4.5"),
        (True, "true"),
        (None, "null"),
        ([1, "é", {"a": None}], '[1,"é",{"a":null}]'),
        ({}, "{}"),
    ],
)
def test_what_is_not_text_is_written_as_compact_json(value: object, text: str) -> None:
    assert rendered("{{ item.x }}", item={"x": value}) == text


@pytest.mark.parametrize(
    "tag",
    [
        "item.missing",
        "sample.output_words",
        "item.list[5]",
        "item.list[-4]",
        "item.list.name",
        "item.text[0]",
        "item.text.name",
        "item.object[0]",
        "item.nothing.name",
    ],
)
def test_a_variable_that_is_not_there_is_flagged_by_name(tag: str) -> None:
    item: dict[str, object] = {"list": [1, 2, 3], "text": "abc", "object": {}, "nothing": None}
    with pytest.raises(Flagged) as caught:
        rendered("{{ " + tag + " }}", {"output_text": ""}, item)
    assert caught.value.errors["invalid_variable_error"] is True
    assert tag in str(caught.value.errors["invalid_variable_error_details"])


@pytest.mark.parametrize("tag", ["sample.output_json", "sample.output_json.x", "sample.output_tools[0].id"])
def test_what_the_model_did_not_say_is_the_answer_s_fault(tag: str) -> None:
    with pytest.raises(Flagged) as caught:
        rendered("{{ " + tag + " }}", {"output_text": "", "output_tools": []}, {})
    assert caught.value.errors.keys() == {"sample_parse_error", "sample_parse_error_details"}


@pytest.mark.parametrize("value", [object(), {1, 2}, b"bytes", 10**5000], ids=type)
def test_what_json_cannot_say_is_flagged(value: object) -> None:
    with pytest.raises(Flagged, match="JSON cannot say"):
        rendered("{{ item.x }}", item={"x": value})


def test_lists_without_end_are_flagged() -> None:
    endless: list[object] = []
    endless.append(endless)
    with pytest.raises(Flagged):
        rendered("{{ item.x }}", item={"x": endless})


@pytest.mark.parametrize("tag", ["foo.x", "os.environ", "ITEM.x", "items.x", "__class__.x", "item-x.y"])
def test_other_namespaces_are_refused(tag: str) -> None:
    assert mistake_in("{{ " + tag + " }}").code == "template.namespace"


@pytest.mark.parametrize(
    "tag", ["", " ", "item", "item.", "item..x", "item[0]", "item.x y", "item.x[", "item.x[a]", ".x"]
)
def test_what_is_not_a_path_is_refused(tag: str) -> None:
    assert mistake_in("{{" + tag + "}}").code == "template.not_a_variable"


@pytest.mark.parametrize("template", ["{{ item.x", "{{ item.x }", "a {{", "{{ item.x }} {{", "{{ {item.x} }}"])
def test_a_variable_that_never_ends_is_refused(template: str) -> None:
    assert mistake_in(template).code == "template.unclosed"


def test_braces_around_a_variable_are_text() -> None:
    assert rendered('{"a":{{ item.x }}}}}', item={"x": "1"}) == '{"a":1}}}'
    assert rendered("{{{ item.x }}}", item={"x": "1"}) == "{1}"
    assert rendered("}}}}") == "}}}}"


def test_the_value_of_a_variable_is_not_a_template() -> None:
    assert rendered("{{ item.x }}", item={"x": "{{ item.y }}", "y": "secret"}) == "{{ item.y }}"


def test_the_columns_of_a_template_are_the_first_names_after_item() -> None:
    assert columns("{{ item.a.b }} {{ item['c d'][0] }} {{ sample.output_text }} {{ item.a }}") == {"a", "c d"}


@given(JSON_VALUES)
def test_a_value_comes_back_from_its_json(value: object) -> None:
    text = rendered("{{ item.x }}", item={"x": value})
    if isinstance(value, str):
        assert text == value
    else:
        assert json.dumps(json.loads(text)) == json.dumps(value)


@given(
    st.text(string.printable) | st.text("{} item.sample[0]'x"),
    st.dictionaries(st.text(), JSON_VALUES, max_size=3),
)
def test_a_template_is_refused_or_filled_in_or_flagged_and_nothing_else(text: str, item: dict[str, object]) -> None:
    try:
        assert isinstance(compile_template("{{ item." + text + " }}")({"output_text": "x"}, item), str)
    except (Mistake, Flagged):
        pass


def test_a_megabyte_of_braces_is_read_at_once() -> None:
    assert mistake_in("{{" * 500_000).code == "template.unclosed"
    assert rendered("{{ item.x }}" * 5_000, item={"x": "ab"}) == "ab" * 5_000
