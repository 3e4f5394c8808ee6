"""What this training will need of the machine's memory, what there is, and what to change when it was not enough."""

import heapq
import json
import resource
from pathlib import Path

from contracts import Contract
from contracts.estimate import Shape, Workload, smaller
from trainer_worker.assignment import Assignment, Work
from trainer_worker.machine import free_memory_gb

LOOKED_AT = 4
"""The longest lines of the data, of which the one with the most tokens counts."""
CGROUP_LIMIT = Path("/sys/fs/cgroup/memory.max")
GIB = 1 << 30


class Needs(Contract):
    """Written by the training process at its beginning, for whoever has to say why it died."""

    load: Workload
    available: float
    """Bytes of memory, the GPU's where there is one."""

    @classmethod
    def read(cls, assignment: Work) -> "Needs | None":
        """None where the process did not get that far, or could make nothing of the model's config."""
        file = assignment.needs
        return cls.model_validate_json(file.read_bytes()) if file.exists() else None

    def write(self, assignment: Work) -> None:
        assignment.needs.write_text(self.model_dump_json())


def advice(assignment: Work) -> str:
    """The settings that would have fitted, for the fault job.out_of_memory."""
    if not isinstance(assignment, Assignment):
        return "batch_size 1"
    needs = Needs.read(assignment)
    if needs is None:
        return "micro_batch_size 1"
    return smaller(assignment.spec.method, needs.load, needs.available)


def shape_of(model: Path, parameters: int) -> Shape | None:
    """None for a model that is no decoder as we know them."""
    try:
        return Shape.of(json.loads((model / "config.json").read_bytes()), parameters)
    except ValueError:
        return None


def longest_lines(file: Path) -> list[bytes]:
    with file.open("rb") as source:
        return heapq.nlargest(LOOKED_AT, source, key=len)


def cpu_bytes() -> float:
    """What this process has, and what it could still get."""
    limit = CGROUP_LIMIT.read_text().strip() if CGROUP_LIMIT.exists() else "max"
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    free = free_memory_gb() * GIB + own
    return free if limit == "max" else min(free, float(limit))
