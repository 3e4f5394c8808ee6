"""Memory runs out, and every library says so in its own way."""

import errno

import torch

SENTENCES = ("can't allocate memory", "Cannot allocate memory", "out of memory", "bad_alloc")


def has_run_out(error: BaseException) -> bool:
    """Whether this is about memory that could not be had, on the GPU or beside it."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    if isinstance(error, OSError) and error.errno == errno.ENOMEM:
        return True
    return isinstance(error, RuntimeError) and any(sentence in str(error) for sentence in SENTENCES)
