"""The same for a training that samples, and whose completions are kept."""

import random

import pytest

from tests.faults.proxy import Network
from tests.faults.runs import SAMPLING, SIZES, Bench, Row, full_form_only, harmed
from tests.faults.test_kills import kill_trainer
from tests.faults.test_silence import silenced

pytestmark = [pytest.mark.faults, pytest.mark.timeout(900), full_form_only]
STEPS = 24
CHANCE = random.Random(8)


def rollouts_of(bench: Bench, job: str, step: int) -> int:
    answer = bench.api.get(f"/api/v1/jobs/{job}/rollouts", params={"step": step, "limit": 1})
    assert answer.status_code == 200, answer.text
    return int(answer.json()["total"])


def each_rollout_is_there_once(bench: Bench, job: str) -> bool:
    return {rollouts_of(bench, job, step) for step in range(1, STEPS + 1)} == {
        SIZES["batch_size"] * SAMPLING["num_generations"]
    }


def test_a_killed_grpo_training_loses_neither_step_nor_rollout(bench: Bench) -> None:
    row = Row("GRPO: SIGKILL of the training process")
    for _ in range(10):
        job = harmed(bench, row, kill_trainer, steps=STEPS, at_step=CHANCE.randrange(1, STEPS - 3), kind="grpo")
        assert each_rollout_is_there_once(bench, job)
    row.write()


def test_a_killed_worker_loses_no_rollout(bench: Bench) -> None:
    row = Row("GRPO: SIGKILL of the worker and of the training process, which another worker goes on with")
    for _ in range(3):
        job = harmed(
            bench,
            row,
            lambda trainer: bench.place.kill(trainer.worker),
            steps=STEPS,
            at_step=CHANCE.randrange(1, STEPS - 3),
            kind="grpo",
        )
        assert each_rollout_is_there_once(bench, job)
    row.write()


def test_a_grpo_worker_out_of_reach_is_replaced(bench: Bench) -> None:
    row = Row("GRPO: network cut between worker and web, for longer than the lease")
    for _ in range(3):
        job = harmed(bench, row, silenced(bench, Network.CUT), steps=STEPS, at_step=2, kind="grpo")
        assert each_rollout_is_there_once(bench, job)
    row.write()
