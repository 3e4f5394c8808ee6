"""Memory runs out, and every library says so in its own way."""

import errno
from pathlib import Path

import torch

SENTENCES = ("can't allocate memory", "Cannot allocate memory", "out of memory", "bad_alloc")


def peak_bytes() -> int:
    """The most that this process has held: of the GPU's memory where it uses one, else resident."""
    if torch.cuda.is_available():
        return torch.cuda.max_memory_reserved()
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) * 1024


def has_run_out(error: BaseException) -> bool:
    """Whether this is about memory that could not be had, on the GPU or beside it."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    if isinstance(error, OSError) and error.errno == errno.ENOMEM:
        return True
    return isinstance(error, RuntimeError) and any(sentence in str(error) for sentence in SENTENCES)
