"""How a worker is told to end: first after the present step of its training, then at once."""

import math
import time

LOOK_S = 0.1


class Shutdown:
    """Set once, by a signal's handler, which may interrupt any line: it takes no lock, so whoever waits looks."""

    def __init__(self, drain_s: float) -> None:
        self._drain_s = drain_s
        self.has_begun = False
        self._until = math.inf

    def begin(self) -> None:
        """From now on: finish the step, save, report, end."""
        if not self.has_begun:
            self._until = time.monotonic() + self._drain_s
            self.has_begun = True

    def hurry(self) -> None:
        """From now on: end."""
        self._until = min(self._until, time.monotonic())
        self.has_begun = True

    @property
    def is_overdue(self) -> bool:
        """The time for saving is over."""
        return time.monotonic() >= self._until

    @property
    def overdue_s(self) -> float:
        """Seconds since then; below 0 before."""
        return time.monotonic() - self._until

    def wait(self, timeout_s: float) -> None:
        until = time.monotonic() + timeout_s
        while not self.has_begun and time.monotonic() < until:
            time.sleep(LOOK_S)
