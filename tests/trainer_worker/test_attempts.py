"""Whole attempts: a real launcher, a real training, a real HTTP server on the other side."""

import io
import itertools
import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from safetensors.torch import load as load_safetensors

from contracts.event import Finished
from contracts.method import GrpoMethod, LoraAdapter
from contracts.method.presets import GRPO_PRESETS
from graders import parse
from tests.trainer_worker.jobs import full, grpo, lora, make_spec, rloo
from tests.trainer_worker.other_side import OtherSide
from trainer_worker.worker import Worker
from whetstone.starter import data

GRPO_METRICS = {
    "loss", "grad_norm", "learning_rate", "entropy", "num_tokens", "reward", "reward_std", "step_time",
    "frac_reward_zero_std", "completions/mean_length", "completions/max_length", "completions/clipped_ratio",
}  # fmt: skip
SUPERVISED_METRICS = {"loss", "grad_norm", "learning_rate", "entropy", "mean_token_accuracy", "num_tokens"}
CLIPPED = {"clip_ratio/region_mean", "clip_ratio/low_mean", "clip_ratio/high_mean"}
PRESET_METRICS = {
    "grpo": CLIPPED | {"kl"},
    "dapo": CLIPPED | {"resampling/sampled", "resampling/dropped", "resampling/share", "grades/overlong"},
    "dr_grpo": CLIPPED,
    "gspo": CLIPPED,
    "cispo": {"cispo_clip_ratio"},
}
HELD_OUT = list(itertools.islice(data.problems("validation"), 4))
ROLLOUT_COLUMNS = [
    "step", "group", "prompt", "completion", "item", "reward", "advantage", "tokens", "truncated", "grade", "row",
]  # fmt: skip


def finished(side: OtherSide) -> Finished:
    end = side.wait_for_end()
    assert isinstance(end, Finished), side.log
    return end


def names(end: Finished) -> set[str]:
    return {ref.path for ref in end.files}


def weights(side: OtherSide, end: Finished) -> dict[str, Any]:
    ref = next(ref for ref in end.files if ref.path == "model.safetensors")
    return dict(load_safetensors(side.blobs[ref.sha256]))


def rollouts(side: OtherSide) -> list[dict[str, Any]]:
    """Rows of all parts, in order."""
    parts = [pq.read_table(io.BytesIO(side.blobs[event.file.sha256])) for event in side.events("rollouts")]
    return [row for part in parts for row in part.to_pylist()]


def test_a_grpo_job_is_trained_and_reported_from_claim_to_model(side: OtherSide, worker: Worker, tiny: Path) -> None:
    side.queue(make_spec(side, tiny, grpo(eval_interval=2, checkpoint_interval=2), held_out=HELD_OUT))
    worker.wake()
    end = finished(side)
    assert [report.seq for report in side.reports] == list(range(1, len(side.reports) + 1))
    assert [event.step for event in side.events("metrics")] == [1, 2, 3]
    assert set(side.events("metrics")[0].values) >= GRPO_METRICS
    assert not [name for name in side.events("metrics")[0].values if name.startswith("rewards/")]  # they are the reward
    assert [event.step for event in side.events("evaluation")] == [0, 2, 3]
    assert set(side.events("evaluation")[0].values) > {"reward_mean", "accuracy", "length_mean", "graded"}
    assert [event.step for event in side.events("checkpoint")] == [2, 3]
    assert {"config.json", "tokenizer.json", "model.safetensors"} <= names(end)
    assert end.step == 3
    assert end.trained_tokens == side.events("metrics")[-1].values["num_tokens"]
    assert end.peak_memory
    assert 200e6 < end.peak_memory < 5e9, "the libraries and a tiny model, in bytes"
    assert end.parameters == sum(tensor.numel() for tensor in weights(side, end).values())


def test_every_file_that_is_named_is_in_the_store_before_its_event(side: OtherSide, worker: Worker, tiny: Path) -> None:
    side.queue(make_spec(side, tiny))
    worker.wake()
    refs = [*finished(side).files, *(ref for event in side.events("checkpoint") for ref in event.files)]
    assert all(len(side.blobs[ref.sha256]) == ref.size for ref in refs)
    assert any(ref.path == "manifest.json" for ref in refs)
    assert not any(ref.path == "training_args.bin" for ref in refs)


def test_rollouts_arrive_as_parquet_with_their_receipts(side: OtherSide, worker: Worker, tiny: Path) -> None:
    side.queue(make_spec(side, tiny))
    worker.wake()
    finished(side)
    parts = [pq.read_table(io.BytesIO(side.blobs[event.file.sha256])) for event in side.events("rollouts")]
    rows = [row for part in parts for row in part.to_pylist()]
    assert parts[0].column_names == ROLLOUT_COLUMNS
    assert [row["step"] for row in rows] == [1] * 8 + [2] * 8 + [3] * 8
    assert [row["group"] for row in rows[:8]] == [0] * 4 + [1] * 4
    assert all(row["reward"] in (0.0, 1.0) for row in rows)
    assert all("answer" in json.loads(row["item"]) for row in rows)
    assert json.loads(rows[0]["grade"])["score"] == rows[0]["reward"]
    assert all(abs(sum(row["advantage"] for row in rows[n : n + 4])) < 1e-3 for n in range(0, 24, 4))


def test_a_supervised_job_reports_what_a_practitioner_expects(side: OtherSide, worker: Worker, tiny: Path) -> None:
    held_out = list(data.demonstrations(6, seed=1))
    side.queue(make_spec(side, tiny, full(eval_interval=2), held_out=held_out))
    worker.wake()
    end = finished(side)
    assert set(side.events("metrics")[0].values) >= SUPERVISED_METRICS
    assert [event.step for event in side.events("evaluation")] == [0, 2, 3]
    assert set(side.events("evaluation")[0].values) == {"loss", "token_accuracy"}
    assert end.trained_tokens > 0


def test_a_supervised_job_with_a_grader_shows_the_reward_too(side: OtherSide, worker: Worker, tiny: Path) -> None:
    grader = parse({"type": "number", "reference": "{{ item.answer }}"})
    held_out = list(data.demonstrations(4, seed=1))
    side.queue(make_spec(side, tiny, full(max_steps=1), held_out=held_out, grader=grader))
    worker.wake()
    finished(side)
    assert set(side.events("evaluation")[-1].values) >= {"loss", "token_accuracy", "reward_mean", "accuracy"}


def test_an_adapter_is_kept_and_merged_into_a_whole_model(side: OtherSide, worker: Worker, tiny: Path) -> None:
    side.queue(make_spec(side, tiny, lora(learning_rate=0.01)))
    worker.wake()
    end = finished(side)
    assert {"model.safetensors", "adapter/adapter_model.safetensors", "adapter/adapter_config.json"} <= names(end)
    assert not any("lora" in name for name in weights(side, end))


@pytest.mark.parametrize("adapted", [False, True], ids=["full", "adapter"])
@pytest.mark.parametrize("preset", GRPO_PRESETS)
def test_every_preset_of_grpo_trains(side: OtherSide, worker: Worker, tiny: Path, preset: str, adapted: bool) -> None:
    block = grpo(preset=preset, learning_rate=0.01, max_steps=4).grpo
    method = GrpoMethod(grpo=block.model_copy(update={"lora": LoraAdapter(rank=4) if adapted else None}))
    side.queue(make_spec(side, tiny, method))
    worker.wake()
    end = finished(side)
    assert not any("lora" in name for name in weights(side, end))
    assert ("adapter/adapter_model.safetensors" in names(end)) == adapted
    values = side.events("metrics")[0].values
    assert set(values) >= GRPO_METRICS | PRESET_METRICS[preset]
    assert any(event.values["grad_norm"] > 0 for event in side.events("metrics"))


@pytest.mark.parametrize("changes", [{"beta": 0.1}, {"num_iterations": 2, "max_steps": 4}, {"loss_type": "dr_grpo"}])
def test_grpo_starts_from_a_model_that_is_only_a_config(
    side: OtherSide, worker: Worker, tiny: Path, changes: dict[str, Any]
) -> None:
    side.queue(make_spec(side, tiny, grpo(**changes)))
    worker.wake()
    finished(side)
    assert ("kl" in side.events("metrics")[0].values) == ("beta" in changes)


def test_micro_batches_change_no_count_of_steps(side: OtherSide, worker: Worker, tiny: Path) -> None:
    side.queue(make_spec(side, tiny, grpo(micro_batch_size=2)))
    worker.wake()
    finished(side)
    assert [event.step for event in side.events("metrics")] == [1, 2, 3]


def test_the_same_seed_gives_the_same_model(side: OtherSide, worker: Worker, tiny: Path) -> None:
    ends = []
    for _ in range(2):
        side.reports.clear()
        side.queue(make_spec(side, tiny, full()))
        worker.wake()
        ends.append(finished(side))
    first, second = ends
    assert first.files == second.files


def test_a_broken_row_is_named_by_its_number(side: OtherSide, worker: Worker, tiny: Path) -> None:
    rows: list[Any] = [*itertools.islice(data.demonstrations(3), 3), {"messages": "hello"}]
    side.queue(make_spec(side, tiny, full(), rows=rows))
    worker.wake()
    failed = side.wait_for_end()
    assert failed.fault.code == "dataset.row_invalid"
    assert failed.fault.params["row"] == 4


def test_a_damaged_model_fails_with_the_end_of_the_traceback(side: OtherSide, worker: Worker, tiny: Path) -> None:
    spec = make_spec(side, tiny)
    broken = side.store(b"{", "config.json")
    files = tuple(broken if ref.path == "config.json" else ref for ref in spec.model.files)
    side.queue(spec.model_copy(update={"model": spec.model.model_copy(update={"files": files})}))
    worker.wake()
    failed = side.wait_for_end()
    assert failed.fault.code == "job.training_failed"
    assert "Traceback" in failed.fault.evidence


def test_a_blob_that_is_not_there_ends_the_attempt(side: OtherSide, worker: Worker, tiny: Path) -> None:
    spec = make_spec(side, tiny)
    del side.blobs[spec.training.file.sha256]
    side.queue(spec)
    worker.wake()
    assert "404" in side.wait_for_end().fault.message


@pytest.mark.parametrize("rank", [None, 4], ids=["full", "adapter"])
@pytest.mark.parametrize("beta", [0.0, 0.1])
def test_rloo_trains_from_claim_to_model(
    side: OtherSide, worker: Worker, tiny: Path, rank: int | None, beta: float
) -> None:
    method = rloo(rank=rank, beta=beta, normalize_advantages=True, reward_clip=0.5, learning_rate=0.01, eval_interval=3)
    side.queue(make_spec(side, tiny, method, held_out=HELD_OUT))
    worker.wake()
    end = finished(side)
    metrics = side.events("metrics")
    assert [event.step for event in metrics] == [1, 2, 3]
    assert all(set(event.values) >= GRPO_METRICS for event in metrics)
    assert all(("kl" in event.values) == (beta > 0) for event in metrics)
    assert [event.step for event in side.events("evaluation")] == [0, 3]
    assert ("adapter/adapter_model.safetensors" in names(end)) == (rank is not None)


def test_an_rloo_advantage_is_the_lead_over_the_other_answers(side: OtherSide, worker: Worker, tiny: Path) -> None:
    side.queue(make_spec(side, tiny, rloo(beta=0.0, reward_clip=0.5)))
    worker.wake()
    finished(side)
    rows = rollouts(side)
    assert {row["reward"] for row in rows} == {0.0, 1.0}
    for first in range(0, 24, 4):
        group = [min(row["reward"], 0.5) for row in rows[first : first + 4]]
        expected = [score - (sum(group) - score) / 3 for score in group]
        assert [row["advantage"] for row in rows[first : first + 4]] == pytest.approx(expected, abs=1e-6)
