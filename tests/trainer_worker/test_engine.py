"""The engine writes for many at once what the sampler writes for one, and ends as it is told to."""

import json
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers import AutoConfig, AutoModelForCausalLM

from contracts.completion import Ask, Delta, Refusal, Said, Sampling, Taken, Turn
from contracts.fault import Fault
from tests.drawn import draw_large
from tests.trainer_worker.test_decoding import PAD, PROMPTS, SMALL, make_model
from trainer_worker.batch import Batch
from trainer_worker.decoding import Manner, complete
from trainer_worker.engine.own import MOST_WAITING, Loaded, OwnEngine
from trainer_worker.engine.text import Text
from whetstone.starter.model import CONFIG, build


class Heard:
    """What an engine said, by request."""

    def __init__(self) -> None:
        self.said: dict[str, list[Said]] = defaultdict(list)
        self._changed = threading.Condition()

    def tell(self, to: str, said: Said) -> None:
        assert to == "web"
        with self._changed:
            self.said[said.ask].append(said)
            self._changed.notify_all()

    def until(self, is_enough: Callable[[], bool]) -> None:
        with self._changed:
            assert self._changed.wait_for(is_enough, 30), dict(self.said)

    def whole(self, ask: Ask) -> list[str]:
        """Every choice's text, once all have ended."""
        self.until(lambda: len(self._ends(ask)) == ask.choices or self._is_refused(ask))
        texts = [""] * ask.choices
        for delta in self._deltas(ask):
            texts[delta.choice] += delta.text
        return texts

    def _is_refused(self, ask: Ask) -> bool:
        return any(isinstance(said, Refusal) for said in self.said[ask.id][-1:])

    def _deltas(self, ask: Ask) -> list[Delta]:
        return [said for said in self.said[ask.id] if isinstance(said, Delta)]

    def _ends(self, ask: Ask) -> list[Delta]:
        return [delta for delta in self._deltas(ask) if delta.finish]

    def finishes(self, ask: Ask) -> list[str | None]:
        return [delta.finish for delta in sorted(self._ends(ask), key=lambda delta: delta.choice)]

    def refusal(self, ask: Ask) -> str:
        self.until(lambda: bool(self.said[ask.id]) and isinstance(self.said[ask.id][-1], Refusal))
        last = self.said[ask.id][-1]
        assert isinstance(last, Refusal)
        return last.fault.code


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Loaded:
    """The starter model's tokenizer with weights drawn large: answers differ, and few end by themselves."""
    folder = tmp_path_factory.mktemp("engine")
    build(folder)
    draw_large(folder)
    return Loaded.from_folder(folder)


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture
def engine(loaded: Loaded, heard: Heard) -> Iterator[OwnEngine]:
    started = OwnEngine("tiny", loaded, heard.tell, cache_bytes=1 << 28)
    yield started
    started.close()


def an_ask(name: str = "a", text: str = "12+30=", choices: int = 1, **sampling: Any) -> Ask:
    manner = Sampling.model_validate({"max_tokens": 20, "temperature": 0} | sampling)
    return Ask(id=name, deployment="dep", reply_to="web", text=text, choices=choices, sampling=manner)


def expected(loaded: Loaded, text: str, longest: int = 20) -> str:
    manner = Manner(longest, tuple(loaded.ends), loaded.tokenizer.pad_token_id, None)
    (one,) = complete(loaded.model, [loaded.tokenizer(text)["input_ids"]], manner)
    return str(loaded.tokenizer.decode(one.ids, skip_special_tokens=True))


def test_rows_that_join_and_leave_are_read_as_if_alone() -> None:
    model = make_model("qwen2", **SMALL).eval()

    def alone(prompt: list[int], follow: list[int]) -> torch.Tensor:
        logits: torch.Tensor = model(torch.tensor([prompt + follow])).logits
        return logits[0, -1]

    with torch.no_grad():
        batch = Batch(model, PROMPTS[:4], PAD)
        batch.step(torch.tensor([11, 12, 13, 14]))
        batch.join(Batch(model, PROMPTS[4:5], PAD))
        batch.step(torch.tensor([15, 16, 17, 18, 19]))
        batch.keep(torch.tensor([4, 1, 3]))
        batch.keep(torch.tensor([2, 1]))
        wide = batch.mask.shape[1]
        batch.trim()
        batch.step(torch.tensor([20, 21]))
        assert wide == 7
        assert batch.mask.shape[1] == 6, "the padding that the longest row needed is still there"
        for found, wanted in zip(
            batch.logits, [alone(PROMPTS[3], [14, 18, 20]), alone(PROMPTS[1], [12, 16, 21])], strict=True
        ):
            torch.testing.assert_close(found, wanted, rtol=1e-4, atol=1e-4)


def test_many_at_once_are_answered_as_each_alone(engine: OwnEngine, heard: Heard, loaded: Loaded) -> None:
    asks = [an_ask(str(n), text=f"{n} and {'more ' * (n % 5)}", max_tokens=3 + n % 7) for n in range(20)]
    for ask in asks:
        engine.ask(ask)
        time.sleep(0.003)  # they join while others are being written
    for n, ask in enumerate(asks):
        assert heard.whole(ask) == [expected(loaded, str(ask.text), 3 + n % 7)]
        assert heard.finishes(ask) == ["length"]
    assert engine.running == engine.waiting == 0


def test_without_a_reader_an_answer_comes_in_one_piece(engine: OwnEngine, heard: Heard, loaded: Loaded) -> None:
    ask = an_ask().model_copy(update={"in_pieces": False})
    engine.ask(ask)
    assert heard.whole(ask) == [expected(loaded, "12+30=")]
    taken, whole = heard.said["a"]
    assert isinstance(taken, Taken)
    assert isinstance(whole, Delta)
    assert whole.tokens == 20


def test_choices_differ_and_a_seed_brings_them_again(engine: OwnEngine, heard: Heard) -> None:
    first, second, other = (
        an_ask(name, choices=3, temperature=1.2, top_p=0.95, seed=seed) for name, seed in (("a", 7), ("b", 7), ("c", 8))
    )
    for ask in (first, second, other):
        engine.ask(ask)
    assert heard.whole(first) == heard.whole(second)
    assert len(set(heard.whole(first))) == 3
    assert heard.whole(other) != heard.whole(first)


def test_a_stop_text_ends_the_answer_before_it(engine: OwnEngine, heard: Heard, loaded: Loaded) -> None:
    whole = expected(loaded, "12+30=")
    stop = whole[5:8]
    ask = an_ask(stop=(stop, "never there"))
    engine.ask(ask)
    assert heard.whole(ask) == [whole[: whole.index(stop)]]
    assert heard.finishes(ask) == ["stop"]


def test_bias_and_penalties_move_the_choice(engine: OwnEngine, heard: Heard, loaded: Loaded) -> None:
    token = loaded.tokenizer("7")["input_ids"][0]
    biased, penalised = an_ask("b", logit_bias={token: 100.0}), an_ask("p", frequency_penalty=2, presence_penalty=2)
    plain = an_ask("x", text="zzz", logit_bias={token: 30.0})
    tired = an_ask("y", text="zzz", logit_bias={token: 30.0}, frequency_penalty=2, presence_penalty=2)
    for ask in (biased, penalised, plain, tired):
        engine.ask(ask)
    assert heard.whole(biased) == ["7" * 20]
    assert heard.whole(tired)[0].count("7") < heard.whole(plain)[0].count("7") <= 20
    assert heard.whole(penalised) != [expected(loaded, "12+30=")]


def test_log_probabilities_are_the_models_own(engine: OwnEngine, heard: Heard, loaded: Loaded) -> None:
    ask = an_ask(alternatives=3, temperature=0.5, seed=1, max_tokens=5)
    engine.ask(ask)
    heard.whole(ask)
    told = [one for said in heard.said["a"] if isinstance(said, Delta) for one in said.logprobs]
    assert len(told) == 5
    ids = loaded.tokenizer("12+30=")["input_ids"]
    for one in told:
        logprobs = loaded.model(torch.tensor([ids])).logits[0, -1].log_softmax(-1)
        (token,) = [n for n in range(256) if bytes(one.bytes) == spelled(loaded, n)]
        assert one.logprob == pytest.approx(float(logprobs[token]), abs=1e-4)
        assert [other.logprob for other in one.top] == pytest.approx(logprobs.topk(3).values.tolist(), abs=1e-4)
        ids.append(token)


def spelled(loaded: Loaded, token: int) -> bytes:
    from trainer_worker.engine.choosing import BYTE_OF

    return bytes(BYTE_OF[letter] for letter in loaded.tokenizer.convert_ids_to_tokens(token))


def test_what_cannot_be_answered_is_refused_with_a_reason(engine: OwnEngine, heard: Heard) -> None:
    asks = {
        "completion.too_long": an_ask("1", text="x" * 3000),
        "completion.no_room": an_ask("2", max_tokens=2047),
        "completion.empty": an_ask("3", text=""),
        "completion.token_unknown": an_ask("4", logit_bias={999: 1.0}),
    }
    for code, ask in asks.items():
        engine.ask(ask)
        assert heard.refusal(ask) == code


def test_a_template_that_throws_is_the_models_fault(loaded: Loaded, heard: Heard) -> None:
    own = loaded.tokenizer.chat_template
    engine = OwnEngine("tiny", loaded, heard.tell, cache_bytes=1 << 28)
    turns = (Turn(role="user", content="hello"),)
    try:
        for name, template in (("completion.no_template", ""), ("completion.template_failed", "{{ 1 / 0 }}")):
            loaded.tokenizer.chat_template = template
            ask = an_ask(name).model_copy(update={"text": None, "turns": turns})
            engine.ask(ask)
            assert heard.refusal(ask) == name
    finally:
        loaded.tokenizer.chat_template = own
        engine.close()


def test_who_left_costs_nothing_more(engine: OwnEngine, heard: Heard) -> None:
    ask = an_ask(max_tokens=2000)
    engine.ask(ask)
    heard.until(lambda: len(heard.said["a"]) > 3)
    engine.cancel("a")
    deadline = time.monotonic() + 5
    while engine.running and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not engine.running
    assert not any(isinstance(said, Delta) and said.finish for said in heard.said["a"])


def test_a_crowd_ends_in_answers_or_in_clear_refusals(engine: OwnEngine, heard: Heard) -> None:
    asks = [an_ask(str(n), max_tokens=4, choices=8) for n in range(MOST_WAITING // 4)]
    for ask in asks:
        engine.ask(ask)
    for ask in asks:
        heard.whole(ask)
    refused = [ask for ask in asks if isinstance(heard.said[ask.id][-1], Refusal)]
    assert {heard.refusal(ask) for ask in refused} == {"engine.busy"}
    assert 0 < len(refused) < len(asks)


def test_a_model_that_breaks_refuses_what_it_was_writing_and_goes_on(
    engine: OwnEngine, heard: Heard, loaded: Loaded, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask = an_ask(max_tokens=2000)
    engine.ask(ask)
    heard.until(lambda: len(heard.said["a"]) > 3)
    monkeypatch.setattr(loaded.model, "forward", lambda **_: 1 / 0)
    assert heard.refusal(ask) == "completion.broken"
    monkeypatch.undo()
    again = an_ask("again")
    engine.ask(again)
    assert heard.whole(again) == [expected(loaded, "12+30=")]


def test_closing_tells_those_who_wait(loaded: Loaded, heard: Heard) -> None:
    engine = OwnEngine("tiny", loaded, heard.tell, cache_bytes=1 << 28)
    ask = an_ask(max_tokens=2000)
    engine.ask(ask)
    heard.until(lambda: len(heard.said["a"]) > 3)
    engine.close()
    assert heard.refusal(ask) == "engine.lost"


class Bytes:
    """A tokenizer whose tokens are bytes."""

    def decode(self, ids: list[int], **_: object) -> str:
        return bytes(ids).decode(errors="replace")


@given(st.text(max_size=30), st.lists(st.text(min_size=1, max_size=3), max_size=3))
def test_pieces_together_are_the_text_up_to_the_first_stop(text: str, stops: list[str]) -> None:
    writing = Text(Bytes(), stops)
    told = ""
    for byte in text.encode("utf-8", "ignore"):
        told += writing.add(byte)
        if writing.is_stopped:
            break
    told += writing.rest()
    whole = text.encode("utf-8", "ignore").decode()
    places = [place + len(stop) for stop in stops if (place := whole.find(stop)) >= 0]
    # The text ends with the first stop that is complete, and before whichever stop begins first in what was written.
    seen = whole[: min(places)] if places else whole
    begins = [seen.find(stop) for stop in stops if stop in seen]
    assert told == (seen[: min(begins)] if begins else whole)


def test_models_may_be_loaded_at_the_same_moment(tmp_path: Path) -> None:
    """After a host's restart all that it held comes back at once."""
    build(tmp_path)
    (tmp_path / "config.json").write_text(json.dumps(CONFIG | {"num_hidden_layers": 1}))
    AutoModelForCausalLM.from_config(AutoConfig.from_pretrained(tmp_path)).save_pretrained(tmp_path)
    with ThreadPoolExecutor(4) as threads:
        loaded = list(threads.map(Loaded.from_folder, [tmp_path] * 8))
    assert {next(one.model.parameters()).device.type for one in loaded} <= {"cpu", "cuda"}


def test_a_folder_that_the_engine_cannot_lead_is_refused_by_name(tmp_path: Path) -> None:
    build(tmp_path)
    make_model("mistral", **SMALL | {"sliding_window": 4}).save_pretrained(tmp_path)
    with pytest.raises(Fault) as caught:
        Loaded.from_folder(tmp_path)
    assert caught.value.report.code == "engine.cannot_lead"


def test_a_prompt_of_ten_megabytes_is_refused_by_its_beginning(engine: OwnEngine, heard: Heard) -> None:
    started = time.monotonic()
    ask = an_ask("huge", "x" * 10_000_000)
    engine.ask(ask)
    assert heard.refusal(ask) == "completion.too_long"
    assert time.monotonic() - started < 3, "others wait while it is read"
