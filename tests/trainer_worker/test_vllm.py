"""vLLM behind the engines' port, against a program that speaks its documented API. Real vLLM needs a GPU."""

import json
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from contracts.completion import Ask, Delta, Sampling, Taken, Turn
from contracts.fault import Fault
from tests.trainer_worker.test_engine import Heard
from tests.trainer_worker.test_engine_adapters import a_load
from trainer_worker.engine.starting import uses_vllm
from trainer_worker.engine.vllm import VllmEngine, parser_of
from trainer_worker.settings import Settings

DOUBLE = Path(__file__).with_name("vllm_double.py")


@pytest.fixture
def program(tmp_path: Path) -> str:
    script = tmp_path / "vllm"
    script.write_text(f'#!/bin/sh\nexec {sys.executable} {DOUBLE} "$@"\n')
    script.chmod(0o755)
    return str(script)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "models" / "dep-1" / "model"
    folder.mkdir(parents=True)
    (folder / "config.json").write_text("{}")
    return folder


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture
def lines() -> list[str]:
    return []


@pytest.fixture
def engine(program: str, folder: Path, heard: Heard, lines: list[str]) -> Iterator[VllmEngine]:
    started = VllmEngine(program, "m", folder, heard.tell, lines.append, [])
    started.hold(a_load("plain"), None)
    yield started
    started.close()
    assert not list(folder.parent.parent.glob("vllm-*")), "its files are still there"


def seen(folder: Path) -> list[tuple[str, dict[str, Any]]]:
    file = folder.parent.parent / "seen.jsonl"
    return [(path, body) for path, body in map(json.loads, file.read_text().splitlines())]


def until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 5
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def an_ask(name: str, deployment: str = "plain", choices: int = 1, **more: Any) -> Ask:
    about = {"text": "12+30=", "sampling": {"max_tokens": 8, "temperature": 0}} | more
    return Ask.model_validate({"id": name, "deployment": deployment, "reply_to": "web", "choices": choices} | about)


def test_a_conversation_is_sent_in_openais_words_and_told_piece_by_piece(
    engine: VllmEngine, heard: Heard, folder: Path, lines: list[str]
) -> None:
    sampling = Sampling(
        max_tokens=9, stop=("END",), seed=7, presence_penalty=0.5, logit_bias={3: -100.0}, alternatives=2, top_p=0.9
    )
    turns = (Turn(role="system", content="be"), Turn(role="user", content="short"))
    ask = an_ask("a", choices=2, text=None, turns=turns, sampling=sampling)
    engine.ask(ask)
    assert heard.whole(ask) == ["<base>xxx"] * 2
    assert heard.finishes(ask) == ["length", "length"]
    first, *pieces = heard.said["a"]
    assert first == Taken(ask="a", prompt_tokens=7)
    deltas = [one for one in pieces if isinstance(one, Delta)]
    assert sum(one.tokens for one in deltas) == 18
    assert [one.token for delta in deltas for one in delta.logprobs if delta.choice == 1] == list("<base>xxx")
    assert "INFO Starting to load the model" in lines
    ((_, counted), (path, body)) = seen(folder)
    assert (
        counted["messages"]
        == body["messages"]
        == [{"role": "system", "content": "be"}, {"role": "user", "content": "short"}]
    )
    assert path == "/v1/chat/completions"
    wanted = {"n": 2, "seed": 7, "stop": ["END"], "max_tokens": 9, "logit_bias": {"3": -100.0}, "top_p": 0.9}
    assert body.items() >= (wanted | {"logprobs": True, "top_logprobs": 2, "presence_penalty": 0.5}).items()
    until(lambda: engine.busy_with("plain") == (0, 0))


WEATHER: Any = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}
CALL: Any = {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Rome"}'}}


def test_tools_and_forms_are_passed_on_untouched(engine: VllmEngine, heard: Heard, folder: Path) -> None:
    turns: Any = [
        {"role": "user", "content": "?"},
        {"role": "assistant", "content": "", "calls": [CALL]},
        {"role": "tool", "content": "sunny", "tool_call_id": "call_1"},
    ]
    toolbox = {"tools": [WEATHER], "named": "weather", "in_parallel": False}
    form = {"name": "f", "document": {"type": "object", "properties": {}}, "strict": True}
    calls = an_ask("c", text=None, turns=turns, toolbox=toolbox)
    whole = calls.model_copy(update={"id": "w", "in_pieces": False})
    held = an_ask("h", text=None, turns=turns[:1], form=form, sampling={"max_tokens": 100})
    for ask in (calls, whole, held):
        engine.ask(ask)
    assert heard.whole(calls) == [""]
    pieces = [one for said in heard.said["c"] if isinstance(said, Delta) for one in said.calls]
    assert (pieces[0].id, pieces[0].name) == ("chatcmpl-tool-1", "weather")
    assert "".join(one.arguments for one in pieces) == '{"city": "Rome"}'
    assert heard.finishes(calls) == ["tool_calls"]
    heard.whole(whole)
    (delta,) = [said for said in heard.said["w"] if isinstance(said, Delta)]
    assert [(one.name, one.arguments) for one in delta.calls] == [("weather", '{"city": "Rome"}')]
    assert heard.whole(held) == ['{"form": "f"}']
    bodies = [body for path, body in seen(folder) if path == "/v1/chat/completions"]
    sent = next(body for body in bodies if "tools" in body)
    assert sent["messages"] == [
        {"role": "user", "content": "?"},
        {"role": "assistant", "content": "", "tool_calls": [CALL]},
        {"role": "tool", "content": "sunny", "tool_call_id": "call_1"},
    ]
    assert sent["tools"] == [WEATHER]
    assert sent["tool_choice"] == {"type": "function", "function": {"name": "weather"}}
    assert sent["parallel_tool_calls"] is False
    (asked,) = [body["response_format"] for body in bodies if "response_format" in body]
    schema = {"name": "f", "schema": {"type": "object", "properties": {}}, "strict": True}
    assert asked == {"type": "json_schema", "json_schema": schema}


def test_a_parser_of_calls_is_chosen_by_the_template(program: str, folder: Path, heard: Heard) -> None:
    """Without one vLLM refuses, and what it says is told."""
    free = an_ask("a", text=None, turns=[{"role": "user", "content": "?"}], toolbox={"tools": [WEATHER]})
    for template, finds in (("plain", False), ("Write <tool_call> …", True)):
        (folder / "chat_template.jinja").write_text(template)
        engine = VllmEngine(program, "m", folder, heard.tell, lambda _: None, [])
        engine.hold(a_load("plain"), None)
        try:
            ask = free.model_copy(update={"id": template})
            engine.ask(ask)
            if finds:
                heard.whole(ask)
                assert heard.finishes(ask) == ["tool_calls"]
            else:
                assert heard.refusal(ask) == "completion.refused"
        finally:
            engine.close()
    assert parser_of(folder, ["--tool-call-parser", "pythonic"]) == ["--enable-auto-tool-choice"]
    (folder / "chat_template.jinja").write_text("<tool_call><function=")
    assert parser_of(folder, [])[-1] == "qwen3_coder"


def test_text_and_ids_are_gone_on_with_and_nobody_reads_along(engine: VllmEngine, heard: Heard) -> None:
    text = an_ask("t", sampling={"max_tokens": 4, "alternatives": 1})
    ids = an_ask("i", text=None, ids=(1, 2, 3), in_pieces=False)
    for ask in (text, ids):
        engine.ask(ask)
    assert heard.whole(text) == ["<bas"]
    logprobs = [told for one in heard.said["t"] if isinstance(one, Delta) for told in one.logprobs]
    assert [top.token for told in logprobs for top in told.top] == [*"<bas"]
    assert heard.whole(ids) == ["<base>xx"]
    _, whole = heard.said["i"]
    assert isinstance(whole, Delta)
    assert whole.tokens == 8


def test_adapters_come_and_go_beside_the_model(engine: VllmEngine, heard: Heard, folder: Path, tmp_path: Path) -> None:
    adapter = tmp_path / "adapter"
    adapter.mkdir()
    with pytest.raises(Fault) as caught:
        engine.hold(a_load("empty"), adapter)
    assert caught.value.report.code == "engine.unfit_adapter"
    (adapter / "adapter_config.json").write_text("{}")
    engine.hold(a_load("ada"), adapter)
    mine, plain = an_ask("m", "ada", sampling={"max_tokens": 5}), an_ask("p", sampling={"max_tokens": 6})
    for ask in (mine, plain):
        engine.ask(ask)
    assert (heard.whole(mine), heard.whole(plain)) == (["<ada>"], ["<base>"])
    long = an_ask("l", "ada", sampling={"max_tokens": 150})
    engine.ask(long)
    heard.until(lambda: len(heard.said["l"]) > 3)
    engine.let_go("ada")
    assert heard.refusal(long) == "engine.lost"
    assert ("/v1/unload_lora_adapter", {"lora_name": "ada"}) in seen(folder)


def test_what_is_refused_is_refused_in_our_words(engine: VllmEngine, heard: Heard) -> None:
    asks = {
        "completion.too_long": an_ask("1", text="x" * 300),
        "completion.no_room": an_ask("2", sampling={"max_tokens": 199}),
        "completion.empty": an_ask("3", text=""),
        "completion.refused": an_ask("4", sampling={"temperature": 2.0}),
    }
    for code, ask in asks.items():
        engine.ask(ask)
        assert heard.refusal(ask) == code


def test_who_left_costs_nothing_more(engine: VllmEngine, heard: Heard, folder: Path) -> None:
    ask = an_ask("a", sampling={"max_tokens": 150})
    engine.ask(ask)
    heard.until(lambda: len(heard.said["a"]) > 3)
    engine.cancel("a")
    until(lambda: ("left", {}) in seen(folder))
    until(lambda: engine.busy_with("plain") == (0, 0))


def test_a_program_that_ends_is_seen_and_breaks_what_it_wrote(engine: VllmEngine, heard: Heard) -> None:
    assert engine.fault is None
    ask = an_ask("a", sampling={"max_tokens": 150})
    engine.ask(ask)
    heard.until(lambda: len(heard.said["a"]) > 3)
    os.killpg(engine._process.pid, signal.SIGKILL)
    assert heard.refusal(ask) == "engine.lost"
    engine._process.wait(5)
    assert engine.fault is not None
    assert engine.fault.code == "deployment.failed"


def test_a_program_that_cannot_load_the_model_says_why(program: str, folder: Path, heard: Heard) -> None:
    with pytest.raises(Fault) as caught:
        VllmEngine(program, "m", folder, heard.tell, lambda _: None, ["--break"])
    assert "no such architecture" in caught.value.report.message


def test_the_operator_chooses_the_engine(tmp_path: Path) -> None:
    given = {"WHETSTONE_URL": "http://web", "WHETSTONE_WORKER_TOKEN": "t", "WHETSTONE_SCRATCH": str(tmp_path)}
    for name, uses in (("own", False), ("vllm", True)):
        settings = Settings.from_environment(given | {"WHETSTONE_ENGINE": name}, needs_broker=False)
        assert uses_vllm(settings) is uses
    with pytest.raises(SystemExit, match="must be auto, own or vllm"):
        Settings.from_environment(given | {"WHETSTONE_ENGINE": "llama"}, needs_broker=False)
