"""Scores that teach nothing, and completions that have none."""

import math
from pathlib import Path
from typing import Any

import pytest
import torch

from contracts.event import ResumePoint
from graders import Grade, parse
from tests.trainer_worker.jobs import grpo, make_spec
from tests.trainer_worker.other_side import OtherSide
from tests.trainer_worker.trainers import grpo_trainer, one_batch
from trainer_worker.monotony import BATCHES, only_score
from trainer_worker.worker import Worker

NEVER = parse({"type": "string_check", "operation": "eq", "reference": "no model says this"})


def logged(score: float, spread: float | None = 0.0, **more: float) -> dict[str, Any]:
    return {"loss": 0.1, "reward": score, "reward_std": spread, **more}


@pytest.mark.parametrize(
    ("history", "score"),
    [
        ([logged(0.5)] * BATCHES, 0.5),
        ([logged(0.5)] * (BATCHES - 1), None),
        ([logged(0.5, spread=0.1)] + [logged(0.5)] * BATCHES, None),
        ([logged(0.5)] * BATCHES + [logged(0.4)], None),
        ([logged(0.5, spread=None)] * BATCHES, None),
        ([logged(0.5), {"loss": 0.1}] * BATCHES, 0.5),
        ([logged(-0.1 * n, spread=0.2, score_mean=0.0, score_std=0.0) for n in range(BATCHES)], 0.0),
        ([], None),
    ],
    ids=[
        "constant", "not yet", "varied once", "two constants", "unknown", "several updates a batch",
        "only the lengths vary", "nothing",
    ],
)  # fmt: skip
def test_one_score_for_everything_from_the_first_batch_on_is_noticed(
    history: list[dict[str, Any]], score: float | None
) -> None:
    assert only_score(history) == score


@pytest.mark.parametrize("preset", [None, "dapo"])
def test_a_job_whose_grader_gives_a_constant_is_stopped(
    side: OtherSide, worker: Worker, tiny: Path, preset: str | None
) -> None:
    method = grpo(max_steps=200, n_epochs=50, preset=preset, num_minibatches=1, max_resamples=0)
    side.queue(make_spec(side, tiny, method, grader=NEVER))
    worker.wake()
    fault = side.wait_for_end().fault
    assert (fault.code, fault.params["score"], fault.cause) == ("grader.constant", "0", "grader")
    assert "got the same score, 0" in fault.message
    assert '"score":0.0' in fault.evidence
    assert side.events("metrics")[-1].step == BATCHES
    assert side.events("rollouts")[-1].step == BATCHES, "what was sampled can be looked at"


def test_a_resumed_job_is_stopped_where_an_undisturbed_one_is(side: OtherSide, worker: Worker, tiny: Path) -> None:
    spec = make_spec(side, tiny, grpo(max_steps=40, n_epochs=50, checkpoint_interval=15), grader=NEVER)
    side.queue(spec)
    worker.wake()
    side.wait_for_end()
    checkpoint = side.events("checkpoint")[0]
    side.reports.clear()
    side.queue(spec, attempt=2, resume=ResumePoint(step=15, files=checkpoint.files))
    worker.wake()
    assert side.wait_for_end().fault.code == "grader.constant"
    assert [event.step for event in side.events("metrics")] == list(range(16, BATCHES + 1))


def test_a_completion_without_a_score_leaves_its_groups_baseline(tiny: Path, tmp_path: Path) -> None:
    """Two groups of four: in the first one completion has no score, in the second none has."""
    trainer = grpo_trainer(tiny, tmp_path, scale_rewards="none")
    scores = [1.0, 0.0, None, 0.5, None, None, None, None]
    trainer.reward.expect([Grade(score, "g", "g") for score in scores], {})
    batch = one_batch(trainer)
    assert torch.allclose(batch["advantages"], torch.tensor([0.5, -0.5, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]))
    values = trainer._metrics["train"]
    assert values["reward"] == [0.5]
    assert all(math.isfinite(value) for value in values["reward"] + values["reward_std"])


def test_a_group_of_which_one_is_scored_teaches_nothing(tiny: Path, tmp_path: Path) -> None:
    trainer = grpo_trainer(tiny, tmp_path)
    trainer.reward.expect([Grade(score, "g", "g") for score in [1.0, None, None, None, 0.0, 1.0, 0.0, 1.0]], {})
    advantages = one_batch(trainer)["advantages"]
    assert advantages[:4].tolist() == [0.0] * 4
    assert advantages[4:].abs().min() > 0
