"""Disks fill up, and every library says so in its own way."""

import errno
from collections.abc import Iterator
from pathlib import Path

from contracts.fault import FaultReport

FULL = (errno.ENOSPC, errno.EDQUOT)
SENTENCES = ("No space left on device", "os error 28", "PytorchStreamWriter failed writing file", "Disk quota exceeded")
EXIT_STATUS = 4
"""Of a training process that could not even write down that the disk is full."""


def is_full(error: BaseException) -> bool:
    """Whether this, or what it came from, is about a disk without room."""
    return any(_says_full(one) for one in _chain(error))


def full(folder: Path) -> FaultReport:
    return FaultReport(code="worker.disk_full", params={"place": str(folder)})


def _says_full(error: BaseException) -> bool:
    if isinstance(error, OSError) and error.errno in FULL:
        return True
    return any(sentence in str(error) for sentence in SENTENCES)


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
