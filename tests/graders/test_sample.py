from pydantic import JsonValue

from graders import sample_of

CALL: JsonValue = {"id": "1", "type": "function", "function": {"name": "weather", "arguments": "{}"}}


def test_a_text_becomes_a_sample_with_openais_keys() -> None:
    message = {"role": "assistant", "content": "42"}
    assert sample_of("42") == {"output_text": "42", "choices": [{"index": 0, "message": message}]}


def test_a_json_object_can_be_read_by_its_fields() -> None:
    assert sample_of(' {"a": [1]}')["output_json"] == {"a": [1]}
    assert sample_of("[1, 2]")["output_json"] == [1, 2]


def test_what_is_no_json_object_has_no_fields() -> None:
    assert not ["output_json" for text in ("42", '"a"', "{", "[" * 100_000, "null") if "output_json" in sample_of(text)]


def test_a_message_may_be_given_with_its_tool_calls() -> None:
    sample = sample_of({"role": "assistant", "content": None, "tool_calls": [CALL]})
    assert sample["output_text"] == ""
    assert sample["output_tools"] == [CALL]
    assert sample["choices"] == [{"index": 0, "message": {"role": "assistant", "content": "", "tool_calls": [CALL]}}]


def test_a_message_may_come_in_parts() -> None:
    assert sample_of({"content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]})["output_text"] == "ab"


def test_what_is_given_stays() -> None:
    given: dict[str, JsonValue] = {"output_text": "{}", "output_json": {"own": 1}, "choices": [], "mine": 2}
    assert sample_of(given) == given
