"""Answers that are held to a schema, by a model that would write anything else."""

import json
import time
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest

from contracts.completion import Ask, Delta, Sampling
from contracts.tools import Form
from tests.trainer_worker.test_engine import Heard, loaded  # noqa: F401  # a fixture
from trainer_worker.engine import forms
from trainer_worker.engine.own import Loaded, OwnEngine

PERSON = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "maxLength": 12},
        "age": {"type": "integer", "minimum": 0, "maximum": 150},
        "tags": {"type": "array", "items": {"enum": ["a", "b\n", "ü"]}, "maxItems": 3},
        "next": {"anyOf": [{"$ref": "#/$defs/point"}, {"type": "null"}]},
    },
    "required": ["name", "age", "tags", "next"],
    "additionalProperties": False,
    "$defs": {"point": {"type": "object", "properties": {"x": {"type": "number"}}, "required": ["x"]}},
}
ENDLESS = {"allOf": [{"type": "string", "pattern": f"a.{{{n}}}b"} for n in range(5, 60)]}


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture
def engine(loaded: Loaded, heard: Heard) -> Iterator[OwnEngine]:  # noqa: F811
    started = OwnEngine("tiny", loaded, heard.tell, cache_bytes=1 << 28)
    yield started
    started.close()


def an_ask(name: str, document: Any = None, strict: bool | None = None, choices: int = 1, **sampling: Any) -> Ask:
    manner = Sampling.model_validate({"max_tokens": 400, "temperature": 1.0} | sampling)
    form = Form(name="f", document=document, strict=strict)
    return Ask(id=name, deployment="dep", reply_to="web", text="12+", choices=choices, sampling=manner, form=form)


def refused(heard: Heard, ask: Ask) -> tuple[str, str | None, str]:
    heard.refusal(ask)
    fault = heard.said[ask.id][-1].fault  # type: ignore[union-attr]  # a refusal
    return fault.code, fault.field, fault.message


@pytest.mark.parametrize("temperature", [0.0, 1.0, 2.0])
def test_whatever_ends_by_itself_fits_the_schema(engine: OwnEngine, heard: Heard, temperature: float) -> None:
    """Weights drawn at random, for whom every token is as good as the next."""
    asks = [an_ask(str(n), PERSON, choices=8, seed=n, temperature=temperature) for n in range(4)]
    for ask in asks:
        engine.ask(ask)
    whole = 0
    for ask in asks:
        for text, finish in zip(heard.whole(ask), heard.finishes(ask), strict=True):
            if finish == "stop":
                whole += 1
                jsonschema.validate(json.loads(text), PERSON)
            else:
                assert finish == "length"
    assert whole >= (1 if temperature == 0 else 16), "nothing was seen"


def test_an_answer_that_is_cut_says_so(engine: OwnEngine, heard: Heard) -> None:
    ask = an_ask("a", PERSON, max_tokens=5)
    engine.ask(ask)
    assert heard.whole(ask)[0].startswith('{"na')
    assert heard.finishes(ask) == ["length"]
    assert sum(said.tokens for said in heard.said["a"] if isinstance(said, Delta)) == 5


def test_free_and_held_answers_share_a_batch(engine: OwnEngine, heard: Heard, loaded: Loaded) -> None:  # noqa: F811
    free = [an_ask(f"free {n}", temperature=0, max_tokens=60).model_copy(update={"form": None}) for n in range(4)]
    held = [an_ask(f"held {n}", {"enum": ["yes", "no"]}, seed=n) for n in range(4)]
    for pair in zip(free, held, strict=True):
        for ask in pair:
            engine.ask(ask)
    assert len({heard.whole(ask)[0] for ask in free}) == 1
    assert {heard.whole(ask)[0] for ask in held} <= {'"yes"', '"no"'}


def test_any_object_is_one(engine: OwnEngine, heard: Heard) -> None:
    ask = an_ask("a", choices=8, seed=3, max_tokens=900)
    engine.ask(ask)
    for text, finish in zip(heard.whole(ask), heard.finishes(ask), strict=True):
        assert text.startswith("{")
        if finish == "stop":
            assert isinstance(json.loads(text), dict)


@pytest.mark.parametrize(
    ("document", "strict", "says"),
    [
        ({"type": "strin"}, False, "Invalid type"),
        ({"$ref": "#/nowhere"}, False, "nowhere"),
        ({"type": "string", "pattern": "(a"}, False, "regex parse error"),
        ({"not": {"type": "string"}}, True, "not"),
        ({"type": "integer", "minimum": 3, "maximum": 2}, False, "Unsatisfiable"),
    ],
)
def test_what_cannot_be_held_to_is_refused_by_name(
    engine: OwnEngine, heard: Heard, document: Any, strict: bool, says: str
) -> None:
    ask = an_ask("a", document, strict)
    engine.ask(ask)
    code, field, message = refused(heard, ask)
    assert (code, field) == ("completion.bad_form", "response_format")
    assert says in message


def test_what_is_not_known_is_left_out_unless_strict(engine: OwnEngine, heard: Heard) -> None:
    ask = an_ask("a", {"enum": ["yes"], "not": {"type": "string"}})
    engine.ask(ask)
    assert heard.whole(ask) == ['"yes"']


def test_a_schema_that_takes_for_ever_holds_up_nobody(
    engine: OwnEngine, heard: Heard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forms, "PREPARE_S", 3.0)
    slow = [an_ask(f"slow {n}", ENDLESS | {"title": str(n)}) for n in range(2)]
    began = time.monotonic()
    for ask in slow:
        engine.ask(ask)
    assert engine.busy_with("dep") == (0, 2)
    free = an_ask("free", max_tokens=5).model_copy(update={"form": None})
    engine.ask(free)
    heard.whole(free)
    assert time.monotonic() - began < 2.5
    for ask in slow:
        assert refused(heard, ask)[:2] == ("completion.form_too_complex", "response_format")
    assert engine.busy_with("dep") == (0, 0)


def test_who_leaves_while_the_schema_is_prepared_is_told_nothing(engine: OwnEngine, heard: Heard) -> None:
    ask = an_ask("a", PERSON)
    engine.ask(ask)
    engine.cancel("a")
    later = an_ask("b", PERSON)
    engine.ask(later)
    heard.whole(later)
    assert not heard.said["a"]


def test_a_form_that_can_go_on_no_more_ends_its_own_request_alone(
    engine: OwnEngine, heard: Heard, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An object of very many optional properties is more than a step may take."""
    wide = {"type": "object", "properties": {f"p{n}": {"type": "string"} for n in range(3000)}}
    ask = an_ask("wide", wide | {"additionalProperties": False})
    other = an_ask("other", max_tokens=300, temperature=0).model_copy(update={"form": None})
    engine.ask(other)
    engine.ask(ask)
    assert refused(heard, ask)[:2] == ("completion.form_lost", "response_format")
    heard.whole(other)
    assert heard.finishes(other) in (["length"], ["stop"])
