"""Small disks (a tmpfs) that are full for a while."""

import contextlib
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.faults.place import place
from tests.faults.runs import Bench, Fault, Row, full_form_only, harmed
from tests.faults.trainers import Trainer

pytestmark = [pytest.mark.faults, pytest.mark.timeout(900), full_form_only]
FULL_S = 6.0
PAGE = 1 << 12
MEGABYTE = 1 << 20


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[Path]:
    folder.mkdir(parents=True)
    size = f"size={megabytes}m"
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", size, "tmpfs", folder], capture_output=True, check=False)
    if mounted.returncode != 0:
        pytest.skip("LEFT OUT: nothing may be mounted here (root may), so no disk was filled")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """Every worker's scratch, and the platform's home with store and database, on a disk of its own."""
    folder = tmp_path_factory.mktemp("disks")
    with ExitStack() as stack:
        for name in ("home", "scratch/worker-a", "scratch/worker-b"):
            stack.enter_context(small_disk(folder / name, 300))
        yield Bench.at(stack.enter_context(place(folder, {"WHETSTONE_MIN_FREE_GB": "0"})))


def filled(disk: Path, left_bytes: int = 0) -> Path:
    """A file that leaves so much room on this disk, while others write to it."""
    path = disk / "full"
    with path.open("wb", buffering=0) as file:
        with contextlib.suppress(OSError):
            while True:
                file.write(bytes(PAGE))
        file.truncate(file.tell() - left_bytes)
    return path


def full_for_a_while(disk: Path, left_bytes: int = 0) -> None:
    path = filled(disk, left_bytes)
    time.sleep(FULL_S)
    path.unlink()


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
