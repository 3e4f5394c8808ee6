"""Hosts that do not agree on the time."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from scripts import machine
from scripts.compose import ROOT
from tests.faults.place import place
from tests.faults.runs import Bench, Row, full_form_only, harmed
from tests.faults.test_kills import kill_trainer
from tests.faults.trainers import Trainer

pytestmark = [pytest.mark.faults, pytest.mark.timeout(900), full_form_only]
SKEWED = Path(__file__).parent / "clocks"
TEN_MINUTES = 600
AHEAD = {"web": 0, "supervisor": TEN_MINUTES, "supervisor-2": -TEN_MINUTES}
CLOCKS = AHEAD | {"worker-a": TEN_MINUTES, "worker-b": -TEN_MINUTES}


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """On PostgreSQL, each process with a clock of its own; the database's is right."""
    server = machine.postgres() or pytest.skip("LEFT OUT: no PostgreSQL lets databases be made here")
    surroundings = {name: clock(ahead_s) for name, ahead_s in CLOCKS.items()}
    with ExitStack() as stack:
        url = stack.enter_context(machine.fresh_database(server))
        here = stack.enter_context(place(tmp_path_factory.mktemp("clocks"), {"DATABASE_URL": url}, surroundings))
        here.start("supervisor-2")
        yield Bench.at(here)


def clock(ahead_s: int) -> dict[str, str]:
    """The wall clock is another one. The monotonic one stays as it is: nobody can set it."""
    return {"PYTHONPATH": f"{SKEWED}:{ROOT}:{ROOT / 'platform'}", "CLOCK_AHEAD_S": str(ahead_s)}


def test_clocks_that_disagree_end_no_attempt(bench: Bench) -> None:
    row = Row("Clocks 10 minutes apart (two supervisors, two workers, one right), nothing else")
    for _ in range(2):
        job = harmed(bench, row, lambda trainer: None, at_step=2)
        assert bench.place.database.job(job).attempt == 1
    row.write()


def test_clocks_that_disagree_do_not_keep_a_dead_worker_alive(bench: Bench) -> None:
    row = Row("Clocks 10 minutes apart, and SIGKILL of the worker until its lease has ended")

    def kill_worker(trainer: Trainer) -> None:
        bench.place.kill(trainer.worker)
        bench.await_attempt(trainer.job, trainer.attempt + 1)

    for _ in range(2):
        harmed(bench, row, kill_worker)
    row.write()


def test_clocks_that_disagree_and_a_killed_training_process(bench: Bench) -> None:
    row = Row("Clocks 10 minutes apart, and SIGKILL of the training process")
    for _ in range(3):
        harmed(bench, row, kill_trainer)
    row.write()
