"""Files and databases that are lost, locked or damaged; wake-ups that come twice or not at all."""

import os
import signal
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest
from celery import Celery

from contracts.queue import WAKE_TASK, queue_of
from tests.faults.runs import STEPS, Bench, Row, full_form_only, harmed
from tests.faults.trainers import Trainer, watching

pytestmark = [pytest.mark.faults, pytest.mark.timeout(1800)]
LOCKED_S = 10.0


def wake(bench: Bench, job: str, times: int) -> None:
    sender = Celery("tests.faults", broker=bench.place.broker, set_as_current=False)
    for _ in range(times):
        sender.send_task(WAKE_TASK, kwargs={"job": job}, queue=queue_of("cpu"), ignore_result=True)
    sender.close()


@full_form_only
def test_a_wake_up_that_comes_a_hundred_times_starts_one_training(bench: Bench) -> None:
    row = Row("A wake-up delivered 2 times, and 100 times")
    for count in (2, 100):
        job = harmed(bench, row, lambda trainer, count=count: wake(bench, trainer.job, count))  # type: ignore[misc]
        assert bench.place.database.job(job).attempt == 1
    row.write()


@full_form_only
def test_jobs_start_without_any_wake_up(bench: Bench) -> None:
    row = Row("No wake-up at all: the broker's file deleted")
    expected = bench.expected(STEPS)
    for path in bench.place.home.glob("broker.sqlite3*"):
        path.unlink()
    with watching(bench.place.scratch) as watch:
        job = bench.launch(STEPS)
        began = time.monotonic()
        bench.await_step(job, 1)
        row.recovered_s.append(time.monotonic() - began)
        bench.await_end(job)
    row.overlaps += watch.overlaps
    row.judge(bench.place.database.outcome(job), expected)
    bench.place.restart("worker-a", "worker-b", "web", "supervisor")
    row.write()


@full_form_only
def test_a_locked_database_loses_nothing(bench: Bench) -> None:
    row = Row(f"SQLite locked for {LOCKED_S:.0f} s by another process")

    def lock(trainer: Trainer) -> None:
        path = bench.place.home / "platform.sqlite3"
        with closing(sqlite3.connect(path, timeout=30, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            time.sleep(LOCKED_S)
            other.execute("ROLLBACK")

    for _ in range(3):
        harmed(bench, row, lock)
    row.write()


@full_form_only
def test_a_torn_checkpoint_is_not_used(bench: Bench) -> None:
    row = Row("The newest checkpoint torn, and SIGKILL of the training process")

    def tear(trainer: Trainer) -> None:
        os.kill(trainer.pid, signal.SIGSTOP)
        time.sleep(1)  # what it has saved is uploaded and named
        newest = bench.place.database.newest_checkpoint(trainer.job)
        blob = _blob(bench.place.home / "artifacts", newest["optimizer.pt"])
        blob.chmod(0o644)
        os.truncate(blob, blob.stat().st_size // 2)
        os.kill(trainer.pid, signal.SIGKILL)

    for _ in range(2):
        harmed(bench, row, tear, at_step=18)
    row.write()


def _blob(store: Path, sha256: str) -> Path:
    return next(path for path in store.rglob(f"*{sha256}*") if path.is_file())
