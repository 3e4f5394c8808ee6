"""Many jobs on three workers, and somebody who kills at random all the while."""

import os
import random
import signal
import time

import pytest

from tests.faults.runs import Bench, Row, full_form_only
from tests.faults.trainers import trainers, watching

pytestmark = [pytest.mark.faults, pytest.mark.timeout(1500), full_form_only]
JOBS, STEPS = 100, 6
BETWEEN_KILLS_S = (1.0, 6.0)
PATIENCE_S = 1200
WORKERS = ("worker-a", "worker-b", "worker-c")
CHANCE = random.Random(11)


def kill_somebody(bench: Bench) -> None:
    """Mostly a training process; now and then a worker, the web or the supervisor, which starts again at once.

    The training process has told a step before: one that dies three times alike at the same step ends its job.
    """
    living = [trainer for trainer in trainers(bench.place.scratch) if trainer.steps_told()]
    if living and CHANCE.random() < 0.8:
        return os.kill(CHANCE.choice(living).pid, signal.SIGKILL)
    victim = CHANCE.choice([*WORKERS, "web", "supervisor"])
    bench.place.kill(victim)
    bench.place.start(victim)


def test_a_hundred_jobs_on_three_workers_with_random_kills_all_succeed(bench: Bench) -> None:
    expected = bench.expected(STEPS)
    bench.place.start("worker-c")
    bench.place.await_workers()
    row = Row(f"{JOBS} jobs on 3 workers, and a random process killed every 1 to 6 s until all are done")
    with watching(bench.place.scratch) as watch:
        waiting = {bench.launch(STEPS) for _ in range(JOBS)}
        jobs, kills = sorted(waiting), 0
        give_up = time.monotonic() + PATIENCE_S
        while waiting:
            assert time.monotonic() < give_up, [bench.place.database.job(job) for job in waiting]
            time.sleep(CHANCE.uniform(*BETWEEN_KILLS_S))
            kill_somebody(bench)
            kills += 1
            waiting = {job for job in waiting if not bench.place.database.job(job).has_ended}
    bench.place.kill("worker-c")
    bench.place.heal()
    row.overlaps += watch.overlaps
    for job in jobs:
        row.judge(bench.place.database.outcome(job), expected)
    print(f"{kills} kills")
    row.write()
