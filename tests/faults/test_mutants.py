"""The matrix proved: with a promise taken out of our code, the row that guards it fails."""

import time

import pytest

from tests.faults.proxy import Network
from tests.faults.runs import LONG, Bench, Row, full_form_only, harmed
from tests.faults.test_kills import kill_trainer
from tests.faults.trainers import Watch, watching

pytestmark = [pytest.mark.faults, pytest.mark.timeout(300)]
WORKERS = ("worker-a", "worker-b")


def overlapped(watch: Watch, patience_s: float = 30) -> bool:
    give_up = time.monotonic() + patience_s
    while time.monotonic() < give_up and not watch.overlaps:
        time.sleep(0.1)
    return watch.overlaps > 0


def two_train_one_job(bench: Bench, *, back: bool) -> bool:
    """Cut off the worker of a long job until another has the job, and then perhaps not any more."""
    with watching(bench.place.scratch) as watch:
        job = bench.launch(LONG)
        bench.await_step(job, 2)
        cut = bench.place.proxies[bench.trainer(job).worker]
        cut.network = Network.CUT
        bench.await_attempt(job, 2)
        cut.network = Network.OPEN if back else Network.CUT
        seen = overlapped(watch)
        cut.network = Network.OPEN
        bench.api.post(f"/v1/fine_tuning/jobs/{job}/cancel")
        bench.await_end(job)
    return seen


def test_without_the_trainers_own_watch_two_train_one_job(bench: Bench) -> None:
    bench.place.restart(*WORKERS, mutant="no_watch")
    assert two_train_one_job(bench, back=False)
    bench.place.restart(*WORKERS)


def test_without_the_fence_an_old_attempt_goes_on(bench: Bench) -> None:
    bench.place.restart("web", mutant="no_fence")
    assert two_train_one_job(bench, back=True)
    bench.place.restart("web")


@full_form_only
def test_a_checkpoint_named_before_its_metrics_leaves_a_gap(bench: Bench) -> None:
    bench.expected(40)
    bench.place.restart(*WORKERS, mutant="late_metrics")
    row = Row("a mutant")
    harmed(bench, row, kill_trainer, at_step=8)
    bench.place.restart(*WORKERS)
    assert row.lost == 1, row
    assert "missing [" in row.why[0]
