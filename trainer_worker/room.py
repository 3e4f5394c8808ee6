"""After a full disk: a worker that asked for the same work at once would fail the same way at once."""

import shutil
import time
from pathlib import Path

REST_S = (30.0, 120.0, 600.0)
LEAST = 1_000_000


class Room:
    """Whether it makes sense to ask for work. Other workers do meanwhile."""

    def __init__(self, scratch: Path) -> None:
        self._scratch = scratch
        self._failures = 0
        self._rests_until = 0.0
        self._was_free = 0

    def was_too_little(self) -> None:
        """An attempt failed for it, and has left the disk."""
        self._rests_until = time.monotonic() + REST_S[min(self._failures, len(REST_S) - 1)]
        self._failures += 1
        self._was_free = self._free

    def was_enough(self) -> None:
        self._failures = 0

    @property
    def is_worth_a_try(self) -> bool:
        """Some time has passed, or somebody has made room."""
        is_rested = time.monotonic() > self._rests_until
        return self._failures == 0 or is_rested or self._free > 2 * max(self._was_free, LEAST)

    @property
    def _free(self) -> int:
        return shutil.disk_usage(self._scratch).free
