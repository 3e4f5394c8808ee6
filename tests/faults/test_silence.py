"""Who is not heard for a while, and who comes back too late."""

import os
import signal
import time
from collections.abc import Callable

import pytest

from tests.faults.place import LEASE_S
from tests.faults.proxy import Network
from tests.faults.runs import LONG, STEPS, Bench, Fault, Row, full_form_only, harmed, times
from tests.faults.trainers import Trainer

pytestmark = [pytest.mark.faults, pytest.mark.timeout(1800)]
BESIDE_S = 1.5
"""How long the old and the new attempt live beside each other before the old one is let go."""


def until_replaced(bench: Bench, trainer: Trainer) -> None:
    bench.await_attempt(trainer.job, trainer.attempt + 1)
    time.sleep(BESIDE_S)


def silenced(bench: Bench, network: Network) -> Fault:
    """Its worker is out of reach until another has taken over."""

    def fault(trainer: Trainer) -> None:
        bench.place.proxies[trainer.worker].network = network
        until_replaced(bench, trainer)
        bench.place.proxies[trainer.worker].network = Network.OPEN

    return fault


def stopped(bench: Bench, pids: Callable[[Trainer], list[int]], wait: Callable[[Bench, Trainer], None]) -> Fault:
    def fault(trainer: Trainer) -> None:
        for pid in pids(trainer):
            os.kill(pid, signal.SIGSTOP)
        wait(bench, trainer)
        for pid in pids(trainer):
            os.kill(pid, signal.SIGCONT)

    return fault


def test_a_worker_out_of_reach_is_replaced_and_comes_back_too_late(bench: Bench) -> None:
    row = Row("Network cut between worker and web, for longer than the lease")
    for _ in range(times(full=3, short=1)):
        harmed(bench, row, silenced(bench, Network.CUT), at_step=2)
    row.write()


@full_form_only
def test_a_worker_that_is_heard_and_not_answered_loses_nothing(bench: Bench) -> None:
    row = Row("Network cut one way: the worker is heard and not answered")

    def deafen(trainer: Trainer) -> None:
        bench.place.proxies[trainer.worker].network = Network.DEAF
        time.sleep(3 * LEASE_S)
        bench.place.proxies[trainer.worker].network = Network.OPEN

    for _ in range(3):
        harmed(bench, row, deafen, steps=LONG, at_step=5)
    row.write()


@full_form_only
def test_a_short_cut_costs_no_attempt(bench: Bench) -> None:
    row = Row("Network cut for half a lease")

    def cut_briefly(trainer: Trainer) -> None:
        bench.place.proxies[trainer.worker].network = Network.CUT
        time.sleep(LEASE_S / 2)
        bench.place.proxies[trainer.worker].network = Network.OPEN

    for _ in range(3):
        job = harmed(bench, row, cut_briefly, at_step=5)
        assert bench.place.database.job(job).attempt == 1
    row.write()


@full_form_only
def test_a_web_that_nobody_reaches_loses_nothing(bench: Bench) -> None:
    row = Row("Network cut between all workers and the web, for two leases")

    def cut_all(trainer: Trainer) -> None:
        for proxy in bench.place.proxies.values():
            proxy.network = Network.CUT
        time.sleep(2 * LEASE_S)
        for proxy in bench.place.proxies.values():
            proxy.network = Network.OPEN

    for _ in range(3):
        harmed(bench, row, cut_all, steps=LONG, at_step=5)
    row.write()


@full_form_only
def test_a_stopped_worker_is_replaced_and_comes_back_too_late(bench: Bench) -> None:
    row = Row("SIGSTOP of the worker for longer than its lease, then SIGCONT")
    worker = stopped(bench, lambda trainer: [bench.place.processes[trainer.worker].pid], until_replaced)
    for _ in range(3):
        harmed(bench, row, worker, at_step=2)
    row.write()


@full_form_only
def test_an_old_attempt_that_wakes_up_late_does_nothing_more(bench: Bench) -> None:
    row = Row("SIGSTOP of worker and training process, which wake up beside their successor")
    both = stopped(bench, lambda trainer: [trainer.pid, bench.place.processes[trainer.worker].pid], until_replaced)
    for _ in range(3):
        harmed(bench, row, both, at_step=12)
    row.write()


@full_form_only
def test_a_stopped_training_process_goes_on(bench: Bench) -> None:
    row = Row("SIGSTOP of the training process for longer than the lease, then SIGCONT")
    alone = stopped(bench, lambda trainer: [trainer.pid], lambda bench, trainer: time.sleep(1.6 * LEASE_S))
    for _ in range(3):
        harmed(bench, row, alone, at_step=STEPS // 3)
    row.write()
