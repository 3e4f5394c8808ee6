"""Whole attempts of the methods that learn from comparisons: what they report, what they leave, what they refuse."""

import itertools
import json
import math
from pathlib import Path
from typing import Any

import pytest
from transformers import AutoModelForSequenceClassification

from contracts.event import Finished
from contracts.fault import FaultReport
from contracts.job import JobSpec, ModelRef
from contracts.method import LoraAdapter, Method
from graders import parse
from tests.trainer_worker.jobs import (
    PARAMETERS,
    dpo,
    full,
    kto,
    labelled,
    make_spec,
    pairs,
    reward_model,
    some_rows,
)
from tests.trainer_worker.other_side import OtherSide
from tests.trainer_worker.test_attempts import finished, names, weights
from trainer_worker.models import load_model, parameters_of, task_of
from trainer_worker.worker import Worker
from whetstone.starter import data

USUAL = {"loss", "grad_norm", "learning_rate", "num_tokens"}
REWARDS = {"rewards/chosen", "rewards/rejected", "rewards/margins"}
MODELS_OWN = {"logps/chosen", "logps/rejected", "logits/chosen", "logits/rejected", "entropy"}
METRICS = {
    "dpo": USUAL | REWARDS | MODELS_OWN | {"rewards/accuracies", "mean_token_accuracy"},
    "kto": USUAL | REWARDS | MODELS_OWN | {"kl"},
    "reward_model": USUAL | {"rewards/accuracies", "rewards/margins", "min_reward", "mean_reward", "max_reward"},
}
EVALUATIONS = {
    "dpo": {"loss", "pair_accuracy", "margin"},
    "kto": {"reward_good", "reward_bad", "margin"},
    "reward_model": {"loss", "pair_accuracy", "margin", "mean_reward"},
}
NUMBER = {"type": "number", "reference": "{{ item.answer }}"}
FORMS = [dpo, kto, reward_model]
ADAPTERS = {
    "all weights": None,
    "adapter": LoraAdapter(rank=4),
    "rslora and dora": LoraAdapter(rank=4, use_rslora=True, use_dora=True, targets=("q_proj", "v_proj")),
}


def run(side: OtherSide, worker: Worker, spec: JobSpec) -> Finished:
    side.queue(spec)
    worker.wake()
    return finished(side)


def fault(side: OtherSide, worker: Worker, spec: JobSpec) -> FaultReport:
    side.queue(spec)
    worker.wake()
    report: FaultReport = side.wait_for_end().fault
    assert report.next_step
    return report


@pytest.mark.parametrize("adapter", list(ADAPTERS))
@pytest.mark.parametrize("form", FORMS)
def test_a_job_reports_what_a_practitioner_expects(
    side: OtherSide, worker: Worker, tiny: Path, form: Any, adapter: str
) -> None:
    method = form(lora=ADAPTERS[adapter], learning_rate=0.01, eval_interval=2)
    held_out = some_rows(method)[-4:] + some_rows(method)[:4]
    end = run(side, worker, make_spec(side, tiny, method, held_out=held_out))
    assert [event.step for event in side.events("metrics")] == [1, 2, 3]
    assert all(set(event.values) >= METRICS[method.type] for event in side.events("metrics"))
    assert [event.step for event in side.events("evaluation")] == [0, 2, 3]
    assert all(set(event.values) == EVALUATIONS[method.type] for event in side.events("evaluation"))
    assert end.task == method.makes
    assert end.trained_tokens == side.events("metrics")[-1].values["num_tokens"] > 0
    assert end.parameters == sum(tensor.numel() for tensor in weights(side, end).values())
    assert ("adapter/adapter_model.safetensors" in names(end)) == (ADAPTERS[adapter] is not None)
    assert not any("lora" in name for name in weights(side, end))


@pytest.mark.parametrize("form", [dpo, kto])
def test_before_training_nothing_is_preferred(side: OtherSide, worker: Worker, tiny: Path, form: Any) -> None:
    """The model is its own reference then, whatever it was trained on before."""
    method = form(max_steps=1)
    run(side, worker, make_spec(side, tiny, method, held_out=some_rows(method)[:6] + some_rows(method)[-6:]))
    first, last = side.events("evaluation")
    assert first.values["margin"] == 0
    assert first.values.get("pair_accuracy", 0.5) == 0.5
    assert last.values["margin"] > 0


@pytest.mark.parametrize("form", [dpo, kto])
def test_the_models_own_answers_are_graded_where_there_is_a_grader(
    side: OtherSide, worker: Worker, tiny: Path, form: Any
) -> None:
    method = form(max_steps=1)
    run(side, worker, make_spec(side, tiny, method, held_out=some_rows(method)[:3], grader=parse(NUMBER)))
    assert set(side.events("evaluation")[0].values) > {"reward_mean", "accuracy", "length_mean"}


@pytest.mark.parametrize("form", [dpo, kto])
def test_held_out_prompts_need_no_answers_where_there_is_a_grader(
    side: OtherSide, worker: Worker, tiny: Path, form: Any
) -> None:
    held_out = list(itertools.islice(data.problems("validation"), 3))
    run(side, worker, make_spec(side, tiny, form(max_steps=1), held_out=held_out, grader=parse(NUMBER)))
    assert not set(side.events("evaluation")[0].values) & {"loss", "margin", "pair_accuracy"}


@pytest.mark.parametrize(
    "changes",
    [
        {"loss_type": "ipo"},
        {"loss_type": "hinge", "sft_weight": 0},
        {"loss_type": "robust", "label_smoothing": 0.2},
        {"label_smoothing": 0.2, "sft_weight": 0.5},
    ],
    ids=str,
)
def test_the_held_out_loss_of_dpo_is_that_of_its_training(
    side: OtherSide, worker: Worker, tiny: Path, changes: dict[str, Any]
) -> None:
    """All rows in one batch, which are the held-out ones too: the next step's loss is what was evaluated."""
    rows = pairs(8)
    method = dpo(max_steps=3, batch_size=8, n_epochs=3, eval_interval=1, learning_rate=0.01, **changes)
    run(side, worker, make_spec(side, tiny, method, rows=rows, held_out=rows))
    trained = {event.step: event.values for event in side.events("metrics")}
    evaluated = {event.step: event.values for event in side.events("evaluation")}
    for step in (1, 2, 3):
        assert evaluated[step - 1]["loss"] == pytest.approx(trained[step]["loss"], abs=2e-4)
        assert evaluated[step - 1]["margin"] == pytest.approx(trained[step]["rewards/margins"], abs=2e-4)


def test_the_held_out_loss_of_a_reward_model_is_that_of_its_training(
    side: OtherSide, worker: Worker, tiny: Path
) -> None:
    rows = pairs(8)
    method = reward_model(batch_size=8, n_epochs=3, eval_interval=1, center_rewards_coefficient=0.01)
    run(side, worker, make_spec(side, tiny, method, rows=rows, held_out=rows))
    trained = {event.step: event.values for event in side.events("metrics")}
    for event in side.events("evaluation")[:3]:
        assert event.values["loss"] == pytest.approx(trained[event.step + 1]["loss"], abs=2e-4)
        assert event.values["pair_accuracy"] == trained[event.step + 1]["rewards/accuracies"]


def test_kto_implies_for_held_out_answers_what_it_does_in_training(side: OtherSide, worker: Worker, tiny: Path) -> None:
    rows = labelled(8)
    run(side, worker, make_spec(side, tiny, kto(n_epochs=3, eval_interval=1), rows=rows, held_out=rows))
    trained = {event.step: event.values for event in side.events("metrics")}
    for event in side.events("evaluation")[:3]:
        assert event.values["reward_good"] == pytest.approx(trained[event.step + 1]["rewards/chosen"], abs=2e-4)
        assert event.values["reward_bad"] == pytest.approx(trained[event.step + 1]["rewards/rejected"], abs=2e-4)


@pytest.mark.parametrize("form", FORMS)
def test_evaluations_do_not_disturb_the_training(side: OtherSide, worker: Worker, tiny: Path, form: Any) -> None:
    method = form(eval_interval=1, lora=LoraAdapter(rank=4, dropout=0.3))
    watched = run(side, worker, make_spec(side, tiny, method, held_out=some_rows(method)[:4]))
    side.reports.clear()
    alone = run(side, worker, make_spec(side, tiny, method))
    assert watched.files == alone.files


@pytest.mark.parametrize("form", FORMS)
def test_micro_batches_change_no_count_of_steps(side: OtherSide, worker: Worker, tiny: Path, form: Any) -> None:
    run(side, worker, make_spec(side, tiny, form(micro_batch_size=2)))
    assert [event.step for event in side.events("metrics")] == [1, 2, 3]


def test_pairs_teach_kto_as_labelled_answers(side: OtherSide, worker: Worker, tiny: Path) -> None:
    run(side, worker, make_spec(side, tiny, kto(), rows=pairs(20)))
    assert "training data: 40 rows read" in side.log


def trained_scorer(side: OtherSide, worker: Worker, tiny: Path, folder: Path) -> ModelRef:
    end = run(side, worker, make_spec(side, tiny, reward_model(lora=LoraAdapter(rank=4), learning_rate=0.01)))
    side.reports.clear()
    for ref in end.files:
        file = folder / ref.path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(side.blobs[ref.sha256])
    return ModelRef(name="taste", files=end.files, parameters=PARAMETERS, task="reward")


def test_a_reward_model_is_loaded_again_as_it_was_saved(
    side: OtherSide, worker: Worker, tiny: Path, tmp_path: Path
) -> None:
    trained_scorer(side, worker, tiny, tmp_path / "scorer")
    config = json.loads((tmp_path / "scorer" / "config.json").read_text())
    assert config["architectures"] == ["Qwen2ForSequenceClassification"]
    assert task_of(tmp_path / "scorer") == "reward"
    model, told = AutoModelForSequenceClassification.from_pretrained(
        tmp_path / "scorer", use_safetensors=True, output_loading_info=True
    )
    assert model.config.num_labels == 1
    assert not told["missing_keys"]
    again = load_model(tmp_path / "scorer", seed=9, drawn=tmp_path, task="reward")
    assert (again.score.weight == model.score.weight).all()
    assert parameters_of(again) == parameters_of(model)


def test_a_reward_model_is_trained_further_and_writes_no_text(
    side: OtherSide, worker: Worker, tiny: Path, tmp_path: Path
) -> None:
    scorer = trained_scorer(side, worker, tiny, tmp_path / "scorer")
    spec = make_spec(side, tiny, reward_model(max_steps=1, learning_rate=1e-9))
    further = run(side, worker, spec.model_copy(update={"model": scorer}))
    head = weights(side, further)["score.weight"]
    before = load_model(tmp_path / "scorer", seed=9, drawn=tmp_path, task="reward").score.weight
    assert head.numpy() == pytest.approx(before.detach().numpy(), abs=1e-6)
    side.reports.clear()
    report = fault(side, worker, make_spec(side, tiny, full()).model_copy(update={"model": scorer}))
    assert report.code == "model.is_reward_model"
    assert "“taste” is a reward model" in report.message


def test_the_head_of_a_new_reward_model_is_drawn_under_the_seed(tiny: Path, tmp_path: Path) -> None:
    text = tmp_path / "text"
    load_model(tiny, seed=1, drawn=text)
    heads = [load_model(text, seed=seed, drawn=tmp_path, task="reward").score.weight for seed in (3, 3, 4)]
    assert (heads[0] == heads[1]).all()
    assert not (heads[0] == heads[2]).all()


BAD: dict[str, tuple[Method, list[dict[str, Any]] | None, str]] = {
    "answers of one kind alone": (kto(), [row for row in labelled(40) if row["label"]], "dataset.one_label"),
    "pairs without a difference": (
        dpo(),
        [row | {"rejected": row["chosen"]} for row in pairs(8)],
        "dataset.equal_pairs",
    ),
    "an empty answer": (reward_model(), [*pairs(8), pairs(1)[0] | {"chosen": ""}], "dataset.row_invalid"),
    "no room for an answer": (dpo(max_length=8), None, "dataset.too_long"),
    "a target that nothing bears": (dpo(lora=LoraAdapter(targets=("q_proj", "query"))), None, "lora.no_target"),
    "the output layer as target": (kto(lora=LoraAdapter(targets=("lm_head",))), None, "lora.output_layer"),
    "the score as target": (reward_model(lora=LoraAdapter(targets=("score",))), None, "lora.output_layer"),
    "answers that pass alone": (kto(micro_batch_size=1), None, "request.invalid"),
}


@pytest.mark.parametrize("case", list(BAD))
def test_what_cannot_be_learned_from_is_refused(side: OtherSide, worker: Worker, tiny: Path, case: str) -> None:
    method, rows, code = BAD[case]
    report = fault(side, worker, make_spec(side, tiny, method, rows=rows))
    assert report.code == code, report.evidence
    assert not side.events("metrics")


@pytest.mark.parametrize("form", FORMS)
def test_a_loss_that_is_no_number_stops_the_job(
    side: OtherSide, worker: Worker, tiny: Path, tmp_path: Path, form: Any
) -> None:
    broken = load_model(tiny, seed=1, drawn=tmp_path)
    broken.get_input_embeddings().weight.data.fill_(math.nan)
    broken.save_pretrained(tmp_path)
    report = fault(side, worker, make_spec(side, tmp_path, form()))
    assert report.code == "job.loss_not_finite"
    assert report.params["step"] == 1
