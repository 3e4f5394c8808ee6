"""Disks fill up, and every library says so in its own way."""

import errno
import shutil
from collections.abc import Iterator

from contracts.fault import FaultReport
from trainer_worker.assignment import Assignment, EvaluationWork, Work

FULL = (errno.ENOSPC, errno.EDQUOT)
SENTENCES = (
    "No space left on device",
    "os error 28",
    "Disk quota exceeded",
    # torch.save, whichever of its layers notices that less was written than it gave.
    "PytorchStreamWriter failed writing file",
    "basic_ios::clear: iostream error",
)
MB = 1_000_000
FULL_CODE = "worker.disk_full"
EXIT_STATUS = 4
"""Of a training process that could not even write down that the disk is full."""


def is_full(error: BaseException) -> bool:
    """Whether this, or what it came from, is about a disk without room."""
    return any(_says_full(one) for one in _chain(error))


def full(assignment: Work) -> FaultReport:
    """What was free was too little, whatever we know of what was to be written."""
    free = shutil.disk_usage(assignment.scratch).free
    needed = max(still_needed(assignment), free)
    numbers = {"free_mb": round(free / MB, 1), "needed_mb": round(needed / MB, 1)}
    params = {"worker": assignment.worker} | numbers
    return FaultReport(code=FULL_CODE, params=params, evidence=str(assignment.folder))


def still_needed(assignment: Work) -> int:
    """Bytes that the job needs at least: what it has yet to read, and then the model that it has yet to write."""
    spec = assignment.spec
    wanted = [(ref, assignment.model / ref.path) for ref in spec.model.files]
    if isinstance(assignment, EvaluationWork):
        wanted.append((assignment.spec.dataset.file, assignment.rows))
        return sum(ref.size for ref, place in wanted if not place.exists())
    if isinstance(assignment, Assignment):
        wanted.append((assignment.spec.training.file, assignment.training))
        if assignment.spec.validation and assignment.validation:
            wanted.append((assignment.spec.validation.file, assignment.validation))
    to_read = sum(ref.size for ref, place in wanted if not place.exists())
    return to_read or sum(ref.size for ref in spec.model.files)


def _says_full(error: BaseException) -> bool:
    if isinstance(error, OSError) and error.errno in FULL:
        return True
    return any(sentence in str(error) for sentence in SENTENCES)


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
