"""Reward models beside the model that is trained, from their download to the receipts of the rollouts."""

import io
import itertools
import json
import shutil
from pathlib import Path
from typing import Any, cast

import pyarrow.parquet as pq
import pytest
import torch
from transformers import AutoConfig, AutoModelForSequenceClassification, PreTrainedModel

from contracts.event import ResumePoint
from contracts.fault import Fault
from contracts.job import JobSpec, ModelRef
from contracts.method import FullMethod, Hyperparameters
from graders import Unreachable, parse
from tests.trainer_worker.jobs import DIGITS, full, grpo, make_spec, tiny_model
from tests.trainer_worker.other_side import OtherSide
from tests.trainer_worker.test_attempts import finished, weights
from tests.trainer_worker.trainers import assignment_of
from trainer_worker import scorer
from trainer_worker.methods.fitting import use_checkpointing
from trainer_worker.models import load_model
from trainer_worker.needs import Needs
from trainer_worker.pretrained import load_tokenizer, render
from trainer_worker.scorers import load_port
from trainer_worker.worker import Worker
from whetstone.starter import data

NAME = "ft:tiny:team:taste:1"
TASTE = {"type": "reward_model", "model": NAME}
BOTH = {"type": "multi", "graders": {"taste": TASTE, "digits": DIGITS}, "calculate_output": "taste + 0.5 * digits"}
H = Hyperparameters()


@pytest.fixture(scope="session")
def taste(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A reward model of one layer that nobody trained: it likes what its random weights like."""
    folder = tiny_model(tmp_path_factory.mktemp("taste"))
    config = AutoConfig.from_pretrained(folder, num_labels=1)
    with torch.random.fork_rng():
        torch.manual_seed(5)
        model = AutoModelForSequenceClassification.from_config(config)
    model.save_pretrained(folder)
    return folder


def conversation(text: str) -> list[Any]:  # Any: messages, as plain dictionaries
    return [{"role": "user", "content": "1+1="}, {"role": "assistant", "content": text}]


def scored(folder: Path, *texts: str) -> list[float | None]:
    port = load_port(None, {NAME: folder}, H)
    assert port.scorers
    return list(port.scorers.score(NAME, [conversation(text) for text in texts]))


@pytest.mark.parametrize("tokens_at_once", [1, 40, 100_000])
def test_every_conversation_has_the_score_that_the_model_gives_it_alone(
    taste: Path, tokens_at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scorer, "TOKENS_AT_ONCE", tokens_at_once)
    texts = ["2", "a much longer answer", "", "22", "two"]
    model = AutoModelForSequenceClassification.from_pretrained(taste)
    tokenizer = load_tokenizer(taste)
    told = [render(tokenizer, conversation(text), to_be_answered=False) for text in texts]
    with torch.no_grad():
        alone = [model(torch.tensor([tokenizer(text)["input_ids"]])).logits.item() for text in told]
    assert scored(taste, *texts) == pytest.approx(alone, abs=1e-5)
    assert len({round(score, 3) for score in alone}) == len(texts)


def test_in_bf16_the_scores_are_nearly_the_same(taste: Path) -> None:
    port = load_port(None, {NAME: taste}, Hyperparameters(precision="bf16"))
    assert port.scorers
    rough = list(port.scorers.score(NAME, [conversation(text) for text in "123"]))
    assert rough == pytest.approx(scored(taste, *"123"), abs=0.02)
    assert rough != scored(taste, *"123")


def test_a_conversation_beyond_the_context_has_no_score(taste: Path) -> None:
    assert [score is None for score in scored(taste, "a" * 3000, "a")] == [True, False]


def test_turns_that_its_chat_template_refuses_are_a_fault_that_names_them(taste: Path, tmp_path: Path) -> None:
    folder = tmp_path / "strict"
    shutil.copytree(taste, folder)
    template = "{% for m in messages %}{% if m.role == 'system' %}{{ raise_exception('no system') }}{% endif %}"
    (folder / "chat_template.jinja").write_text(template + "{{ m.content }}{% endfor %}")
    assert scored(folder, "2") != [None]
    port = load_port(None, {NAME: folder}, H)
    assert port.scorers
    with pytest.raises(Fault) as caught:
        port.scorers.score(NAME, [[cast(Any, {"role": "system", "content": "Be brief."}), *conversation("2")]])
    report = caught.value.report
    assert (report.code, report.cause) == ("evaluator.template_failed", "grader")
    assert f"“{NAME}” cannot write a conversation with the turns system, user, assistant: no system" in report.message
    assert report.next_step


def test_its_memory_is_counted_beside_the_model_that_is_trained(tiny: Path, taste: Path, tmp_path: Path) -> None:
    alone = assignment_of(grpo(), tiny, tmp_path)
    asked = ModelRef(name=NAME, files=(), parameters=12_345)
    spec = alone.spec.model_copy(update={"scorers": (asked,)})
    model, tokenizer = load_model(tiny, seed=3, drawn=tmp_path / "drawn"), load_tokenizer(tiny)
    use_checkpointing(alone.model_copy(update={"spec": spec, "scorers": {NAME: taste}}), model, tokenizer)
    needs = Needs.read(alone)
    assert needs is not None
    assert [(one.parameters, one.layers) for one in needs.load.scorers] == [(12_345, model.config.num_hidden_layers)]


def test_loading_and_scoring_draw_no_random_numbers(taste: Path) -> None:
    before = torch.random.get_rng_state()
    scored(taste, "a")
    assert torch.equal(before, torch.random.get_rng_state())


def test_a_model_that_writes_is_no_reward_model(tiny: Path, tmp_path: Path) -> None:
    writer: PreTrainedModel = load_model(tiny, seed=3, drawn=tmp_path)
    with pytest.raises(Fault) as caught:
        load_port(None, {NAME: tmp_path}, H)
    assert caught.value.report.code == "evaluator.not_a_reward_model"
    (tmp_path / "config.json").write_text(json.dumps(writer.config.to_dict() | {"num_labels": 1}))
    with pytest.raises(Fault, match="no reward model"):  # its head would be a random one
        load_port(None, {NAME: tmp_path}, H)


def test_a_model_that_was_not_brought_along_cannot_be_reached() -> None:
    port = load_port(None, {}, H)
    assert port.scorers
    with pytest.raises(Unreachable, match="taste"):
        port.scorers.score(NAME, [])


def make_job(side: OtherSide, tiny: Path, taste: Path, **fields: Any) -> JobSpec:
    method = grpo(**({"max_steps": 2} | fields))
    held_out = list(itertools.islice(data.problems("validation"), 4))
    return make_spec(side, tiny, method, held_out=held_out, grader=parse(BOTH), scorers={NAME: taste})


def rollouts(side: OtherSide) -> list[dict[str, Any]]:
    parts = [pq.read_table(io.BytesIO(side.blobs[event.file.sha256])) for event in side.events("rollouts")]
    return [row for part in parts for row in part.to_pylist()]


def test_a_job_learns_from_a_reward_model_and_shows_its_receipts(
    side: OtherSide, worker: Worker, tiny: Path, taste: Path
) -> None:
    side.queue(make_job(side, tiny, taste))
    worker.wake()
    finished(side)
    rows = rollouts(side)
    assert [row["step"] for row in rows] == [1] * 8 + [2] * 8
    for row in rows:
        grade = json.loads(row["grade"])
        parts = {name: part["score"] for name, part in grade["sub"].items()}
        assert row["reward"] == pytest.approx(parts["taste"] + 0.5 * parts["digits"])
        assert grade["errors"] == {}
    asked = [{"role": "user", "content": rows[0]["prompt"]}, {"role": "assistant", "content": rows[0]["completion"]}]
    port = load_port(None, {NAME: taste}, H)
    assert port.scorers
    (again,) = port.scorers.score(NAME, [asked])  # type: ignore[list-item]  # messages, as plain dictionaries
    assert again == pytest.approx(json.loads(rows[0]["grade"])["sub"]["taste"]["score"], abs=1e-5)
    metrics = [event.values for event in side.events("metrics")]
    assert all(values["reward_std"] > 0 for values in metrics)
    assert all("grades/taste" in values for values in metrics)
    assert all("accuracy" not in event.values for event in side.events("evaluation"))


def test_a_resumed_attempt_ends_with_the_weights_of_an_undisturbed_one(
    side: OtherSide, worker: Worker, tiny: Path, taste: Path
) -> None:
    spec = make_job(side, tiny, taste, max_steps=4, checkpoint_interval=2, learning_rate=0.01)
    side.queue(spec)
    worker.wake()
    undisturbed = weights(side, finished(side))
    rewards = {event.step: event.values["reward"] for event in side.events("metrics")}
    checkpoint = side.events("checkpoint")[0]
    side.reports.clear()
    side.queue(spec, attempt=2, resume=ResumePoint(step=checkpoint.step, files=checkpoint.files))
    worker.wake()
    resumed = weights(side, finished(side))
    assert {event.step: event.values["reward"] for event in side.events("metrics")} == {
        step: reward for step, reward in rewards.items() if step > checkpoint.step
    }
    assert all((undisturbed[name] == resumed[name]).all() for name in undisturbed)


def test_held_out_answers_of_a_supervised_job_can_be_scored_by_it(
    side: OtherSide, worker: Worker, tiny: Path, taste: Path
) -> None:
    held_out = list(data.demonstrations(4, seed=1))
    method: FullMethod = full(max_steps=1)
    grader = parse(TASTE | {"pass_threshold": 0.0})
    side.queue(make_spec(side, tiny, method, held_out=held_out, grader=grader, scorers={NAME: taste}))
    worker.wake()
    finished(side)
    assert side.events("evaluation")[-1].values.keys() >= {"reward_mean", "accuracy"}


def test_a_job_whose_reward_model_is_none_fails_before_its_first_step(
    side: OtherSide, worker: Worker, tiny: Path, tmp_path: Path
) -> None:
    load_model(tiny, seed=3, drawn=tmp_path)
    side.queue(make_job(side, tiny, tmp_path))
    worker.wake()
    fault = side.wait_for_end().fault
    assert fault.code == "evaluator.not_a_reward_model"
    assert NAME in fault.message
    assert not side.events("metrics")


def test_a_reward_model_that_is_not_in_the_store_ends_the_attempt(
    side: OtherSide, worker: Worker, tiny: Path, taste: Path
) -> None:
    spec = make_job(side, tiny, taste)
    missing = next(ref for ref in spec.scorers[0].files if ref.path == "model.safetensors")
    del side.blobs[missing.sha256]
    side.queue(spec)
    worker.wake()
    assert "404" in side.wait_for_end().fault.message
