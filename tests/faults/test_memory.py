"""Memory that runs out: a real limit, set on a training process while it runs."""

import os
import resource
from pathlib import Path

import pytest

from tests.faults.runs import Bench, Row, full_form_only, harmed
from tests.faults.trainers import Trainer

pytestmark = [pytest.mark.faults, pytest.mark.timeout(900), full_form_only]


def take_memory(trainer: Trainer) -> None:
    """Not a page more than it has now."""
    pages = int(Path(f"/proc/{trainer.pid}/statm").read_text().split()[0])
    limit = pages * os.sysconf("SC_PAGE_SIZE")
    resource.prlimit(trainer.pid, resource.RLIMIT_AS, (limit, limit))


def test_a_training_process_without_memory_is_replaced(bench: Bench) -> None:
    row = Row("Memory that runs out (a limit on the training process's address space)")
    for _ in range(3):
        job = harmed(bench, row, take_memory)
        assert "job.out_of_memory" in bench.place.database.faults(job)
    row.write()
