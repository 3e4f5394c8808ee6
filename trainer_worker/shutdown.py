"""How a worker is told to end: first after the present step of its training, then at once."""

import math
import threading
import time


class Shutdown:
    """Set once, by a signal; looked at by whoever could be waiting."""

    def __init__(self, drain_s: float) -> None:
        self._drain_s = drain_s
        self._begun = threading.Event()
        self._until = math.inf

    def begin(self) -> None:
        """From now on: finish the step, save, report, end."""
        if not self._begun.is_set():
            self._until = time.monotonic() + self._drain_s
            self._begun.set()

    def hurry(self) -> None:
        """From now on: end."""
        self._until = min(self._until, time.monotonic())
        self._begun.set()

    @property
    def has_begun(self) -> bool:
        return self._begun.is_set()

    @property
    def is_overdue(self) -> bool:
        """The time for saving is over."""
        return time.monotonic() >= self._until

    @property
    def overdue_s(self) -> float:
        """Seconds since then; below 0 before."""
        return time.monotonic() - self._until

    def wait(self, timeout_s: float) -> None:
        self._begun.wait(timeout_s)
