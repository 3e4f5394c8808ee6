"""A worker's folder: one worker at a time works in it, and a new one knows that nothing of the last one lives."""

import fcntl
import logging
import os
import secrets
import shutil
import time
from pathlib import Path
from typing import IO

log = logging.getLogger(__name__)

POLL_S = 0.05
WORKER_LOCK = "worker.lock"
TRAINER_LOCK = "trainer.lock"


class ScratchTaken(Exception):
    """Another worker works in this folder."""


def occupy(scratch: Path) -> IO[bytes]:
    """Take the folder for this process, as long as the answer is open. Raises ScratchTaken."""
    scratch.mkdir(parents=True, exist_ok=True)
    lock = (scratch / WORKER_LOCK).open("ab")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        raise ScratchTaken(
            f"another worker works in {scratch}. Stop that one, or give this one a WHETSTONE_SCRATCH of its own."
        ) from None
    return lock


def join_trainers(scratch: Path) -> IO[bytes]:
    """Take a share of the lock that launchers and training processes hold for as long as they live."""
    scratch.mkdir(parents=True, exist_ok=True)
    lock = (scratch / TRAINER_LOCK).open("ab")
    fcntl.flock(lock, fcntl.LOCK_SH)
    return lock


def outlive_trainers(scratch: Path) -> None:
    """Returns once no launcher and no training of this folder lives. The kernel kills them with their worker."""
    scratch.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    with (scratch / TRAINER_LOCK).open("ab") as lock:
        is_told = False
        while not _is_free(lock):
            if not is_told and time.monotonic() - began > 1.0:
                log.warning("waiting until the training process of the last worker in %s has died", scratch)
                is_told = True
            time.sleep(POLL_S)


def clear(scratch: Path) -> None:
    """Delete what former attempts left. What they had to say is lost with them; what they stored is not."""
    shutil.rmtree(scratch / "jobs", ignore_errors=True)


def instance_of(scratch: Path) -> str:
    """The folder's name for the platform: drawn once, and the same whenever a worker starts in it again."""
    file = scratch / "instance"
    if file.exists() and (known := file.read_text().strip()):
        return known
    scratch.mkdir(parents=True, exist_ok=True)
    drawn = secrets.token_hex(16)
    fresh = file.with_suffix(".fresh")
    fresh.write_text(drawn)
    os.replace(fresh, file)
    return drawn


def _is_free(lock: IO[bytes]) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
