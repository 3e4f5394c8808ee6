"""The engine of a reward model gives the scores that a training gives, to many at once."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from contracts.completion import Ask, Marks, Refusal, Score, Spoken, Taken
from contracts.fault import Fault
from contracts.job import ModelRef
from contracts.method import Hyperparameters
from contracts.serving import Load
from tests.trainer_worker.test_engine import Heard
from tests.trainer_worker.test_scorers import NAME, taste
from trainer_worker.engine import scoring
from trainer_worker.engine.meter import Meter
from trainer_worker.engine.port import Rater, Writer
from trainer_worker.engine.scoring import ScoringEngine, scorer_from
from trainer_worker.engine.starting import start_engine
from trainer_worker.models import load_model
from trainer_worker.scorer import Scorer
from trainer_worker.scorers import load_port
from trainer_worker.settings import Settings

__all__ = ["taste"]
ANSWERS = ["2", "a much longer answer", "", "22", "<b>two</b>\x1b[31m\u202e", "two\n\n\n", "🙂" * 20]


@pytest.fixture(scope="module")
def scorer(taste: Path) -> Scorer:
    return scorer_from("taste", taste)


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture
def engine(scorer: Scorer, heard: Heard) -> Iterator[ScoringEngine]:
    started = ScoringEngine("taste", scorer, heard.tell)
    yield started
    started.close()


def turns(answer: str, prompt: str = "1+1=") -> tuple[Spoken, ...]:
    return Spoken(role="user", content=prompt), Spoken(role="assistant", content=answer)


def a_letter(name: str = "a", *answers: str, deployment: str = "dep") -> Score:
    return Score(id=name, deployment=deployment, reply_to="web", conversations=tuple(map(turns, answers)))


def marks(heard: Heard, name: str = "a") -> Marks:
    heard.until(lambda: bool(heard.said[name]) and isinstance(heard.said[name][-1], Marks))
    first, last = heard.said[name]
    assert isinstance(first, Taken)
    assert isinstance(last, Marks)
    return last


def scores(heard: Heard, name: str = "a") -> list[float | None]:
    return [one.score for one in marks(heard, name).marks]


def trained(folder: Path, *answers: str) -> list[float | None]:
    """What a training's grader hears."""
    port = load_port(None, {NAME: folder}, Hyperparameters())
    assert port.scorers
    asked = [[{"role": turn.role, "content": turn.content} for turn in turns(answer)] for answer in answers]
    return list(port.scorers.score(NAME, asked))  # type: ignore[arg-type]  # messages, as plain dictionaries


def test_scores_are_those_of_a_training(engine: ScoringEngine, heard: Heard, taste: Path) -> None:
    engine.score(a_letter("a", *ANSWERS))
    found = scores(heard)
    assert found == pytest.approx(trained(taste, *ANSWERS), abs=1e-5)
    assert len({round(score or 0.0, 3) for score in found}) == len(ANSWERS)
    assert [one.tokens for one in marks(heard).marks] == sorted_lengths(engine)


def sorted_lengths(engine: ScoringEngine) -> list[int]:
    return [len(engine._scorer.read([scoring.spoken(turns(answer))])[0]) for answer in ANSWERS]


@pytest.mark.parametrize("tokens_at_once", [1, 60, 100_000])
def test_many_that_ask_at_once_share_passes_and_hear_their_own(
    engine: ScoringEngine, heard: Heard, taste: Path, tokens_at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scoring, "TOKENS_AT_ONCE", tokens_at_once)
    letters = [a_letter(str(n), *ANSWERS[n:], *ANSWERS[:n]) for n in range(len(ANSWERS))]
    for letter in letters:
        engine.score(letter)
    alone = trained(taste, *ANSWERS)
    for n, letter in enumerate(letters):
        assert scores(heard, letter.id) == pytest.approx(alone[n:] + alone[:n], abs=1e-5)


def test_what_waits_goes_into_one_pass_and_a_few_do_not_wait_behind_a_thousand(
    engine: ScoringEngine, heard: Heard, scorer: Scorer, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes, go, first = [], threading.Event(), threading.Event()
    give = type(scorer).give

    def slowly(self: Scorer, rows: list[list[int]]) -> list[float]:
        sizes.append(len(rows))
        first.set()
        go.wait(10)
        return give(self, rows)

    monkeypatch.setattr(Scorer, "give", slowly)
    monkeypatch.setattr(scoring, "TOKENS_AT_ONCE", 500)
    engine.score(a_letter("opening", "1"))
    first.wait(10)
    engine.score(a_letter("many", *(str(n) for n in range(300))))
    for n in range(4):
        engine.score(a_letter(f"few-{n}", "2", "3"))
    assert engine.busy_with("dep") == (1, 308)
    go.set()
    for n in range(4):
        scores(heard, f"few-{n}")
    assert not heard.said["many"][1:], "the few were scored first"
    assert len(scores(heard, "many")) == 300
    assert sizes[1] > 8, "of all that waited"
    assert len(sizes) < 40
    assert engine.busy_with("dep") == (0, 0)


def test_one_that_cannot_be_scored_says_why_and_the_others_are_scored(
    engine: ScoringEngine, heard: Heard, scorer: Scorer, taste: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.score(a_letter("a", "2", "x" * 3000, "22"))
    first, long, last = marks(heard).marks
    assert [first.score, last.score] == pytest.approx(trained(taste, "2", "22"), abs=1e-5)
    assert (long.score, long.fault and long.fault.code) == (None, "score.too_long")
    assert long.tokens > 2048
    monkeypatch.setattr(scorer.tokenizer, "chat_template", "{% if messages[1].content == 'no' %}{{ 1 / 0 }}{% endif %}")
    engine.score(a_letter("b", "yes"))
    (empty,) = marks(heard, "b").marks
    assert (empty.score, empty.fault and empty.fault.code) == (None, "score.empty")
    strict = "{% for m in messages %}{% if m.role == 'tool' %}{{ raise_exception('no tools') }}{% endif %}x{% endfor %}"
    monkeypatch.setattr(scorer.tokenizer, "chat_template", strict)
    tools = (Spoken(role="tool", content="4"), *turns("4"))
    engine.score(Score(id="c", deployment="dep", reply_to="web", conversations=(turns("2"), tools)))
    good, refused = marks(heard, "c").marks
    assert good.score is not None
    assert (refused.fault and refused.fault.code) == "evaluator.template_failed"
    assert "no tools" in str(refused.fault and refused.fault.message)


def test_what_is_no_number_is_no_score(engine: ScoringEngine, heard: Heard, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Scorer, "give", lambda self, rows: [float("nan"), float("inf"), 1.5])
    engine.score(a_letter("a", "1", "22", "333"))
    first, second, third = marks(heard).marks
    assert (first.score, second.score, third.score) == (None, None, 1.5)
    assert [one.fault and one.fault.params["score"] for one in (first, second)] == ["nan", "inf"]


def test_a_model_that_breaks_refuses_what_was_in_its_pass_and_goes_on(
    engine: ScoringEngine, heard: Heard, scorer: Scorer, taste: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scorer.model, "forward", lambda **_: 1 / 0)
    engine.score(a_letter("a", "1"))
    assert heard.refusal(an_ask("a")) == "score.broken"
    monkeypatch.undo()
    monkeypatch.setattr(scorer.tokenizer, "chat_template", "{{ 1 / 0 }}")
    engine.score(a_letter("b", "1"))
    assert heard.refusal(an_ask("b")) == "score.broken"
    monkeypatch.undo()
    engine.score(a_letter("c", "1"))
    assert scores(heard, "c") == pytest.approx(trained(taste, "1"), abs=1e-5)


def an_ask(name: str) -> Ask:
    return Ask(id=name, deployment="dep", reply_to="web")


def test_who_left_and_who_is_let_go_cost_nothing_more(
    engine: ScoringEngine, heard: Heard, monkeypatch: pytest.MonkeyPatch
) -> None:
    go = threading.Event()

    def wait(self: Scorer, rows: list[list[int]]) -> list[float]:
        go.wait(10)
        return [0.5] * len(rows)

    monkeypatch.setattr(Scorer, "give", wait)
    engine.score(a_letter("left", "1"))
    engine.score(a_letter("stays", "1"))
    engine.score(a_letter("dropped", "1", deployment="other"))
    engine.cancel("left")
    engine.let_go("other")
    assert heard.refusal(an_ask("dropped")) == "engine.lost"
    go.set()
    assert scores(heard, "stays") == [0.5]
    assert [type(said) for said in heard.said["left"]] == [Taken]


def test_too_many_are_told_to_come_again_and_closing_tells_those_who_wait(
    engine: ScoringEngine, heard: Heard, monkeypatch: pytest.MonkeyPatch
) -> None:
    go = threading.Event()
    monkeypatch.setattr(scoring, "MOST_WAITING", 3)
    monkeypatch.setattr(Scorer, "give", lambda self, rows: [float(go.wait(10))] * len(rows))
    engine.score(a_letter("a", "1", "2"))
    engine.score(a_letter("b", "1", "2"))
    assert heard.refusal(an_ask("b")) == "engine.busy"
    monkeypatch.setattr(scoring, "TOKENS_AT_ONCE", 1)
    closing = threading.Thread(target=engine.close)
    closing.start()
    go.set()
    closing.join(10)
    assert isinstance(heard.said["a"][-1], Marks | Refusal)
    engine.score(a_letter("c", "1"))
    assert heard.refusal(an_ask("c")) == "engine.busy"


def test_a_reward_model_has_an_engine_of_its_own_whatever_writes_here(
    taste: Path, heard: Heard, settings: Settings
) -> None:
    lines: list[str] = []
    load = Load(deployment="d", name="d", token="t", model=ModelRef(name="m", files=(), parameters=1, task="reward"))
    started: Any = start_engine(replace(settings, engine="vllm"), load, taste, heard.tell, lines.append)
    assert isinstance(started, Rater)
    assert not isinstance(started, Writer)
    assert "reward model" in lines[0]
    started.close()


def test_a_model_that_writes_is_not_loaded_to_score(tiny: Path, tmp_path: Path) -> None:
    load_model(tiny, seed=3, drawn=tmp_path)
    with pytest.raises(Fault) as caught:
        scorer_from("writer", tmp_path)
    assert caught.value.report.code == "evaluator.not_a_reward_model"


def test_scores_are_counted_with_the_tokens_that_were_read(
    engine: ScoringEngine, heard: Heard, monkeypatch: pytest.MonkeyPatch
) -> None:
    letter, meter = a_letter("a", "1", "22"), Meter()
    meter.begin(letter)
    engine.score(letter)
    told = marks(heard)
    for said in heard.said["a"]:
        meter.hear(said)
    counts = meter.counts()
    tokens = sum(one.tokens for one in told.marks)
    assert (counts.requests, counts.scores, counts.prompt_tokens, counts.tokens) == (1, 2, tokens, 0)
    assert counts.tokens_per_s == round(tokens / 10, 1)
    assert counts.first_token_ms is not None


def test_scoring_draws_no_gradients_and_no_random_numbers(engine: ScoringEngine, heard: Heard) -> None:
    before = torch.random.get_rng_state()
    engine.score(a_letter("a", "1"))
    scores(heard)
    assert torch.equal(before, torch.random.get_rng_state())
