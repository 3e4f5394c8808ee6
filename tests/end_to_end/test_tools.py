"""OpenAI's own client wants JSON and calls of tools from a model with weights drawn at random."""

import json
import time
from typing import Any

import httpx
import jsonschema
import openai
import pydantic
import pytest

from tests.drawn import draw_large
from tests.end_to_end.laptop import Laptop
from tests.trainer_worker.test_engine_forms import ENDLESS, PERSON
from tests.trainer_worker.test_engine_tools import CITY, HERMES, WEATHER
from whetstone.starter import model as starter

pytestmark = pytest.mark.end_to_end
HELLO: list[Any] = [{"role": "user", "content": "Who is it?"}]
FORMAT: Any = {"type": "json_schema", "json_schema": {"name": "person", "schema": PERSON, "strict": True}}


class Point(pydantic.BaseModel):
    x: int
    on: bool


@pytest.fixture(scope="module")
def caller(laptop: Laptop, api: httpx.Client) -> str:
    return brought(laptop, api, "caller", HERMES)


@pytest.fixture(scope="module")
def plain(laptop: Laptop, api: httpx.Client) -> str:
    """Its template knows no tools."""
    return brought(laptop, api, "plain", starter.CHAT_TEMPLATE)


def brought(laptop: Laptop, api: httpx.Client, name: str, template: str) -> str:
    folder = laptop.home / "brought" / name
    starter.build(folder)
    about = json.loads((folder / "tokenizer_config.json").read_text())
    (folder / "tokenizer_config.json").write_text(json.dumps(about | {"chat_template": template}))
    draw_large(folder)
    api.post("/api/v1/imports", json={"source": {"type": "folder", "folder": str(folder)}}).raise_for_status()
    give_up = time.monotonic() + 60
    while api.get(f"/v1/models/{name}").status_code != 200:
        assert time.monotonic() < give_up, api.get("/api/v1/imports").text
        time.sleep(0.2)
    return name


@pytest.mark.parametrize("stream", [False, True])
def test_an_answer_under_a_schema_is_json_of_it_or_was_cut(client: openai.OpenAI, caller: str, stream: bool) -> None:
    about: Any = {"model": caller, "messages": HELLO, "response_format": FORMAT, "n": 4, "max_tokens": 500}
    whole = 0
    for seed in range(4):
        texts, finishes = [""] * 4, [""] * 4
        if stream:
            for chunk in client.chat.completions.create(**about, seed=seed, stream=True):
                for one in chunk.choices:
                    texts[one.index] += one.delta.content or ""
                    finishes[one.index] = one.finish_reason or finishes[one.index]
        else:
            for choice in client.chat.completions.create(**about, seed=seed).choices:
                texts[choice.index], finishes[choice.index] = choice.message.content or "", choice.finish_reason
        for text, finish in zip(texts, finishes, strict=True):
            assert finish in ("stop", "length")
            if finish == "stop":
                whole += 1
                jsonschema.validate(json.loads(text), PERSON)
    assert whole >= 4


def test_the_clients_own_parser_reads_an_answer(client: openai.OpenAI, caller: str) -> None:
    answer = client.chat.completions.parse(model=caller, messages=HELLO, response_format=Point, seed=1, max_tokens=200)
    assert isinstance(answer.choices[0].message.parsed, Point)


def test_any_object_begins_as_one_and_a_short_answer_is_cut(client: openai.OpenAI, caller: str) -> None:
    answer = client.chat.completions.create(
        model=caller, messages=HELLO, response_format={"type": "json_object"}, max_tokens=3, logprobs=True
    )
    assert (answer.choices[0].message.content or "").startswith("{")
    assert answer.choices[0].finish_reason == "length"
    told = answer.choices[0].logprobs
    assert told is not None
    assert len(told.content or ()) == 3


def test_a_required_call_comes_whole(client: openai.OpenAI, caller: str) -> None:
    answer = client.chat.completions.create(
        model=caller, messages=HELLO, tools=[WEATHER], tool_choice="required", parallel_tool_calls=False, seed=4
    )
    (choice,) = answer.choices
    assert (choice.finish_reason, choice.message.content) == ("tool_calls", None)
    assert choice.message.tool_calls
    (call,) = choice.message.tool_calls
    assert call.type == "function"
    assert call.function.name == "weather"
    jsonschema.validate(json.loads(call.function.arguments), CITY)

    said = [*HELLO, choice.message, {"role": "tool", "tool_call_id": call.id, "content": "sunny"}]
    after = client.chat.completions.create(model=caller, messages=said, tools=[WEATHER], max_tokens=5)
    assert after.usage is not None
    assert answer.usage is not None
    assert after.usage.prompt_tokens > answer.usage.prompt_tokens + 20


def test_calls_are_put_together_from_a_stream_by_the_clients_own_helper(client: openai.OpenAI, caller: str) -> None:
    named: Any = {"type": "function", "function": {"name": "weather"}}
    strict: Any = {"type": "function", "function": WEATHER["function"] | {"strict": True}}
    with client.chat.completions.stream(
        model=caller, messages=HELLO, tools=[strict], tool_choice=named, seed=5
    ) as stream:
        kinds = {event.type for event in stream}
        (choice,) = stream.get_final_completion().choices
    assert "tool_calls.function.arguments.delta" in kinds
    assert choice.finish_reason == "tool_calls"
    assert choice.message.tool_calls
    (call,) = choice.message.tool_calls
    assert call.id
    jsonschema.validate(json.loads(call.function.arguments), CITY)


def test_a_model_may_just_say_something(client: openai.OpenAI, caller: str) -> None:
    for choice in ("auto", "none"):
        answer = client.chat.completions.create(
            model=caller, messages=HELLO, tools=[WEATHER], tool_choice=choice, max_tokens=12
        )
        assert answer.choices[0].message.tool_calls is None
        assert answer.choices[0].finish_reason in ("stop", "length")


def called(**function: Any) -> list[Any]:
    return [{"type": "function", "function": {"name": "f"} | function}]


def schema(document: Any, name: str = "s") -> dict[str, Any]:
    return {"type": "json_schema", "json_schema": {"name": name, "schema": document, "strict": True}}


DEEP: Any = {}
for _ in range(60):
    DEEP = {"type": "object", "properties": {"a": DEEP}}
CALL = {"id": "1", "type": "function", "function": {"name": "f", "arguments": "no json"}}


@pytest.mark.parametrize(
    ("more", "code", "param"),
    [
        ({"response_format": schema({"type": "strin"})}, "completion.bad_form", "response_format"),
        ({"response_format": schema({"not": {}})}, "completion.bad_form", "response_format"),
        ({"response_format": schema(ENDLESS)}, "completion.form_too_complex", "response_format"),
        ({"response_format": schema({}, name="a b")}, "string_pattern_mismatch", "response_format"),
        ({"response_format": schema(DEEP)}, "value_error", "response_format"),
        ({"response_format": {"type": "xml"}}, "union_tag_invalid", "response_format"),
        ({"tools": called(name="a b")}, "string_pattern_mismatch", "tools"),
        ({"tools": called() * 2}, "value_error", None),
        ({"tools": called() * 129}, "too_long", "tools"),
        ({"tools": called(parameters={"type": "string"})}, "value_error", "tools"),
        ({"tools": called(parameters={"properties": {"a": {"type": "x"}}})}, "completion.bad_form", "tools"),
        ({"tool_choice": "required"}, "value_error", None),
        (
            {"tools": called(), "tool_choice": {"type": "function", "function": {"name": "g"}}},
            "value_error",
            None,
        ),
        ({"messages": [{"role": "tool", "content": "x"}]}, "value_error", "messages"),
        ({"messages": [{"role": "user"}]}, "value_error", "messages"),
        ({"messages": [{"role": "assistant", "tool_calls": [CALL]}]}, "value_error", "messages"),
    ],
)
def test_mistakes_are_named(
    client: openai.OpenAI, caller: str, more: dict[str, Any], code: str, param: str | None
) -> None:
    about: dict[str, Any] = {"model": caller, "messages": HELLO, "max_tokens": 2}
    with pytest.raises(openai.BadRequestError) as caught:
        client.chat.completions.create(**about | more)
    assert (caught.value.code, caught.value.body["message"] != "") == (code, True)  # type: ignore[index]  # the envelope
    assert (caught.value.param or "").startswith(param or "")


def test_a_model_that_knows_no_tools_says_so(client: openai.OpenAI, plain: str) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        client.chat.completions.create(model=plain, messages=HELLO, tools=[WEATHER])
    assert (caught.value.code, caught.value.param) == ("completion.no_tools", "tools")
    answer = client.chat.completions.create(model=plain, messages=HELLO, tools=[WEATHER], tool_choice="none", n=1)
    assert answer.choices[0].message.tool_calls is None
