"""Calls of tools: forced and free, rendered by the template, told piece by piece."""

import json
from collections.abc import Iterator
from copy import copy
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.completion import Ask, Delta, Sampling, Turn
from contracts.tools import Called, CallPiece, Form, FunctionCall, Tool, Toolbox, joined
from tests.trainer_worker.test_engine import Heard, loaded  # noqa: F401  # a fixture
from tests.trainer_worker.test_engine_forms import refused
from trainer_worker.engine.calls import Calls
from trainer_worker.engine.own import Loaded, OwnEngine

HERMES = (
    "{%- if tools %}<|system|># Tools\n{% for tool in tools %}{{ tool | tojson }}\n{% endfor %}"
    'Write <tool_call>\n{"name": …, "arguments": …}\n</tool_call><|end|>{% endif -%}'
    "{%- for message in messages -%}<|{{ 'user' if message.role == 'tool' else message.role }}|>"
    "{{ '<tool_response>' if message.role == 'tool' }}{{ message.content }}"
    "{%- for call in message.tool_calls -%}<tool_call>\n"
    '{"name": "{{ call.function.name }}", "arguments": {{ call.function.arguments | tojson }}}\n</tool_call>'
    "{%- endfor -%}<|end|>{%- endfor -%}"
    "{%- if add_generation_prompt -%}<|assistant|>{%- endif -%}"
)
CITY = {"type": "object", "properties": {"city": {"type": "string", "maxLength": 8}}, "required": ["city"]}
WEATHER: Any = {
    "type": "function",
    "function": {"name": "weather", "parameters": CITY | {"additionalProperties": False}},
}
TIME: Any = {"type": "function", "function": {"name": "time-now"}}
TURNS = (Turn(role="user", content="How is it in Rome?"),)


@pytest.fixture(scope="module")
def caller(loaded: Loaded) -> Loaded:  # noqa: F811
    """The same weights with a template that knows tools."""
    tokenizer = copy(loaded.tokenizer)
    tokenizer.chat_template = HERMES
    return Loaded(loaded.model, tokenizer, loaded.ends, loaded.token_bytes)


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture
def engine(caller: Loaded, heard: Heard) -> Iterator[OwnEngine]:
    started = OwnEngine("tiny", caller, heard.tell, cache_bytes=1 << 28)
    yield started
    started.close()


def an_ask(name: str, *tools: Any, turns: Any = TURNS, form: Any = None, choices: int = 1, **about: Any) -> Ask:
    sampling = Sampling(max_tokens=about.pop("max_tokens", 400), seed=about.pop("seed", 1))
    toolbox = Toolbox(tools=tuple(Tool.model_validate(one) for one in tools), **about) if tools else None
    return Ask(
        id=name,
        deployment="dep",
        reply_to="web",
        turns=turns,
        toolbox=toolbox,
        form=form,
        choices=choices,
        sampling=sampling,
    )


def calls_of(heard: Heard, ask: Ask, choice: int = 0) -> tuple[CallPiece, ...]:
    heard.whole(ask)
    pieces = [said for said in heard.said[ask.id] if isinstance(said, Delta) and said.choice == choice]
    found: tuple[CallPiece, ...] = ()
    for piece in pieces:
        found = joined(found, piece.calls)
    return found


def test_a_named_function_is_called_with_what_its_schema_wants(engine: OwnEngine, heard: Heard) -> None:
    ask = an_ask("a", WEATHER, TIME, named="weather", choices=8)
    engine.ask(ask)
    texts, finishes = heard.whole(ask), heard.finishes(ask)
    assert texts == [""] * 8
    whole = [n for n, finish in enumerate(finishes) if finish == "tool_calls"]
    assert whole
    for choice in whole:
        (call,) = calls_of(heard, ask, choice)
        assert (call.index, call.name) == (0, "weather")
        assert call.id
        jsonschema.validate(json.loads(call.arguments), CITY)


def test_something_must_be_called_and_maybe_more_than_once(engine: OwnEngine, heard: Heard) -> None:
    many, one = (an_ask(str(n), WEATHER, choice="required", choices=16, in_parallel=n == 0) for n in range(2))
    for ask in (many, one):
        engine.ask(ask)
    counts = [len(calls_of(heard, many, choice)) for choice in range(16)]
    assert min(counts) >= 1
    assert max(counts) > 1
    assert [len(calls_of(heard, one, choice)) for choice in range(16)] == [1] * 16
    ids = [call.id for choice in range(16) for call in calls_of(heard, many, choice)]
    assert len(set(ids)) == len(ids)


def test_pieces_come_while_they_are_written(engine: OwnEngine, heard: Heard) -> None:
    ask = an_ask("a", WEATHER, named="weather")
    engine.ask(ask)
    heard.whole(ask)
    told = [one for said in heard.said["a"] if isinstance(said, Delta) for one in said.calls]
    assert (told[0].name, told[0].arguments) == ("weather", "")
    assert all(one.id is None and one.name is None and one.arguments for one in told[1:])
    assert len(told) > 5


def test_nobody_reads_along_and_each_call_is_whole(engine: OwnEngine, heard: Heard) -> None:
    ask = an_ask("a", WEATHER, named="weather").model_copy(update={"in_pieces": False})
    engine.ask(ask)
    heard.whole(ask)
    (delta,) = [said for said in heard.said["a"] if isinstance(said, Delta)]
    (call,) = delta.calls
    jsonschema.validate(json.loads(call.arguments), CITY)
    assert delta.finish == "tool_calls"


def test_a_call_that_is_cut_is_told_as_far_as_it_came(engine: OwnEngine, heard: Heard) -> None:
    ask = an_ask("a", WEATHER, named="weather", max_tokens=60)
    engine.ask(ask)
    (call,) = calls_of(heard, ask)
    assert '{"city":'.startswith(call.arguments[:8])
    assert heard.finishes(ask) == ["length"]


def test_a_model_that_may_call_says_something_or_calls(engine: OwnEngine, heard: Heard, caller: Loaded) -> None:
    """Once it has written the opening mark, what follows is a call. A bias leads to it."""
    free = an_ask("free", WEATHER, max_tokens=30)
    engine.ask(free)
    assert heard.whole(free)[0]
    quote, mark = (caller.tokenizer(letter)["input_ids"][0] for letter in ('"', "<"))
    form = Form(name="f", document={"enum": ["nothing"]})
    says, calls = an_ask("says", WEATHER, TIME, form=form), an_ask("calls", WEATHER, form=form, in_parallel=False)
    for ask, token in ((says, quote), (calls, mark)):
        manner = ask.sampling.model_copy(update={"logit_bias": {token: 100.0}})
        engine.ask(ask.model_copy(update={"sampling": manner}))
    assert (heard.whole(says), heard.finishes(says)) == (['"nothing"'], ["stop"])
    assert (heard.whole(calls), heard.finishes(calls)) == ([""], ["tool_calls"])
    assert calls_of(heard, calls)[0].name == "weather"


def test_the_template_reads_tools_calls_and_what_they_answered(engine: OwnEngine, caller: Loaded) -> None:
    call = FunctionCall(id="call_1", function=Called(name="weather", arguments='{"city": "Rome"}'))
    turns = (
        *TURNS,
        Turn(role="assistant", content="", calls=(call,)),
        Turn(role="tool", content="sunny", tool_call_id="call_1"),
    )
    text = caller.tokenizer.decode(engine._reader.read(an_ask("a", WEATHER, turns=turns)))
    assert '"name": "weather"' in text.split("# Tools")[1]
    assert '<tool_call>\n{"name": "weather", "arguments": {"city": "Rome"}}\n</tool_call>' in text
    assert "<tool_response>sunny" in text
    assert "# Tools" not in caller.tokenizer.decode(engine._reader.read(an_ask("a", WEATHER, choice="none")))


def test_half_a_character_in_the_arguments_of_a_call_breaks_nothing(
    engine: OwnEngine, heard: Heard, caller: Loaded
) -> None:
    called = Called(name="weather", arguments='{"city": "\\ud800, \\ud83d\\ude00"}')
    turns = (*TURNS, Turn(role="assistant", content="", calls=(FunctionCall(id="call_1", function=called),)))
    ask = an_ask("half", turns=turns, max_tokens=1)
    assert "\ufffd, \U0001f600" in caller.tokenizer.decode(engine._reader.read(ask))
    engine.ask(ask)
    assert heard.whole(ask)


def test_a_template_that_knows_no_tools_says_so(loaded: Loaded, heard: Heard) -> None:  # noqa: F811
    engine = OwnEngine("tiny", loaded, heard.tell, cache_bytes=1 << 28)
    try:
        ask = an_ask("a", WEATHER)
        engine.ask(ask)
        assert refused(heard, ask)[:2] == ("completion.no_tools", "tools")
        none = an_ask("n", WEATHER, choice="none", max_tokens=3)
        engine.ask(none)
        heard.whole(none)
    finally:
        engine.close()


def test_calls_of_another_kind_are_refused_unless_they_are_forced(caller: Loaded, heard: Heard) -> None:
    tokenizer = copy(caller.tokenizer)
    tokenizer.chat_template = HERMES.replace("<tool_call>", "[CALLS]")
    engine = OwnEngine("tiny", Loaded(caller.model, tokenizer, caller.ends, 1), heard.tell, cache_bytes=1 << 28)
    try:
        free, forced = an_ask("a", WEATHER), an_ask("f", WEATHER, named="weather")
        for ask in (free, forced):
            engine.ask(ask)
        assert refused(heard, free)[:2] == ("completion.calls_unread", "tool_choice")
        assert calls_of(heard, forced)[0].name == "weather"
    finally:
        engine.close()


def test_parameters_that_cannot_be_held_to_are_refused_by_name(engine: OwnEngine, heard: Heard) -> None:
    bad = {"type": "function", "function": {"name": "f", "parameters": {"properties": {"a": {"type": "strin"}}}}}
    ask = an_ask("a", bad, named="f")
    engine.ask(ask)
    assert refused(heard, ask)[:2] == ("completion.bad_form", "tools")


JSON = st.recursive(
    st.none() | st.integers() | st.text(max_size=8) | st.sampled_from(['"', "}", "</tool_call>", "\\", '\\"']),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)


@given(
    st.sampled_from(["", "I look. ", "a < b <tool", "\n"]),
    st.lists(
        st.tuples(st.sampled_from(["f", "g-1"]), st.dictionaries(st.text(max_size=4), JSON, max_size=3)), max_size=3
    ),
    st.data(),
)
def test_a_text_is_parted_the_same_however_it_is_cut(text: str, called: list[Any], data: st.DataObject) -> None:
    written = "\n".join(
        f'<tool_call>\n{{"name": "{name}", "arguments": {json.dumps(given, ensure_ascii=False)}}}\n</tool_call>'
        for name, given in called
    )
    calls, whole, said = Calls(), text + written, ""
    told: tuple[CallPiece, ...] = ()
    while whole:
        size = data.draw(st.integers(1, len(whole)))
        piece, more = calls.read(whole[:size])
        whole, said, told = whole[size:], said + piece, joined(told, more)
    said += calls.rest()
    assert said == text
    assert [(one.name, json.loads(one.arguments)) for one in told] == called
