"""SIGKILL, of every process there is."""

import os
import random
import signal
import statistics

import pytest

from tests.faults.runs import STEPS, Bench, Row, full_form_only, harmed, times
from tests.faults.trainers import Trainer

pytestmark = [pytest.mark.faults, pytest.mark.timeout(1800)]
CHANCE = random.Random(7)


def kill_trainer(trainer: Trainer) -> None:
    os.kill(trainer.pid, signal.SIGKILL)


def test_a_killed_training_process_loses_nothing(bench: Bench) -> None:
    row = Row("SIGKILL of the training process, at random steps")
    for _ in range(times(full=20, short=3)):
        harmed(bench, row, kill_trainer, at_step=CHANCE.randrange(1, STEPS - 8))
    row.write()
    assert statistics.median(row.recovered_s) < 10  # no lease had to run out


def test_a_killed_worker_loses_nothing(bench: Bench) -> None:
    row = Row("SIGKILL of the worker")

    def kill_worker(trainer: Trainer) -> None:
        bench.place.kill(trainer.worker)
        bench.place.start(trainer.worker)

    for _ in range(times(full=5, short=1)):
        harmed(bench, row, kill_worker, at_step=CHANCE.randrange(1, STEPS - 8))
    row.write()


@full_form_only
def test_a_killed_web_loses_nothing(bench: Bench) -> None:
    row = Row("SIGKILL of the web")

    def kill_web(trainer: Trainer) -> None:
        bench.place.kill("web")
        bench.place.start("web")

    for _ in range(times(full=5, short=1)):
        harmed(bench, row, kill_web, at_step=CHANCE.randrange(1, 15))
    row.write()


@full_form_only
def test_a_killed_supervisor_loses_nothing(bench: Bench) -> None:
    row = Row("SIGKILL of the supervisor and of the training process")

    def kill_both(trainer: Trainer) -> None:
        bench.place.kill("supervisor")
        kill_trainer(trainer)
        bench.place.start("supervisor")

    for _ in range(times(full=5, short=1)):
        harmed(bench, row, kill_both, at_step=CHANCE.randrange(1, 15))
    row.write()


def test_a_power_cut_loses_nothing(bench: Bench) -> None:
    row = Row("SIGKILL of everything at once (power cut), and a new start")

    def cut_power(trainer: Trainer) -> None:
        bench.place.kill(*bench.place.processes)
        bench.place.heal()

    for _ in range(times(full=3, short=1)):
        harmed(bench, row, cut_power, at_step=CHANCE.randrange(1, STEPS - 8))
    row.write()


@full_form_only
def test_two_supervisors_give_a_job_to_one_worker(bench: Bench) -> None:
    row = Row("Three supervisors, and SIGKILL of the worker")
    others = ("supervisor-2", "supervisor-3")

    def kill_worker(trainer: Trainer) -> None:
        bench.place.kill(trainer.worker)

    bench.place.start(*others)
    for _ in range(3):
        harmed(bench, row, kill_worker, at_step=CHANCE.randrange(1, STEPS - 8))
    bench.place.kill(*others)
    row.write()
