"""Small disks (a tmpfs) that are full for a while."""

import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.faults.place import place
from tests.faults.runs import Bench, Fault, Row, full_form_only, harmed
from tests.faults.trainers import Trainer
from tests.small_disk import fill, may_mount, small_disk

pytestmark = [pytest.mark.faults, pytest.mark.timeout(900), full_form_only, may_mount]
FULL_S = 6.0
MEGABYTE = 1 << 20


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """Every worker's scratch, and the platform's home with store and database, on a disk of its own."""
    folder = tmp_path_factory.mktemp("disks")
    with ExitStack() as stack:
        for name in ("home", "scratch/worker-a", "scratch/worker-b"):
            stack.enter_context(small_disk(folder / name, megabytes=300))
        yield Bench.at(stack.enter_context(place(folder, {"WHETSTONE_MIN_FREE_GB": "0"})))


def full_for_a_while(disk: Path, left_bytes: int = 0) -> None:
    ballast = fill(disk, left_bytes)
    time.sleep(FULL_S)
    ballast.unlink()


def scratch_full(bench: Bench, left_bytes: int = 0) -> Fault:
    def fault(trainer: Trainer) -> None:
        full_for_a_while(bench.place.scratch / trainer.worker, left_bytes)

    return fault


def test_a_full_disk_at_a_checkpoint(bench: Bench) -> None:
    row = Row(f"The worker's disk full for {FULL_S:.0f} s: room for reports, none for a checkpoint")
    for _ in range(2):
        harmed(bench, row, scratch_full(bench, left_bytes=MEGABYTE // 4))
    row.write()


def test_a_full_disk_at_the_spool(bench: Bench) -> None:
    row = Row(f"The worker's disk full for {FULL_S:.0f} s, to the last byte")
    for _ in range(2):
        harmed(bench, row, scratch_full(bench))
    row.write()


def test_a_full_disk_at_an_upload(bench: Bench) -> None:
    row = Row(f"The platform's disk full for {FULL_S:.0f} s: store and database")
    for _ in range(2):
        harmed(bench, row, lambda trainer: full_for_a_while(bench.place.home))
    row.write()
