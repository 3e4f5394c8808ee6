"""The last lines that an engine has to say of a deployment, until the platform has heard them."""

import threading
import time
from collections import deque

from contracts.serving import LONGEST_LINE, MOST_LINES


class Journal:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._lines: deque[tuple[int, str]] = deque(maxlen=MOST_LINES)
        self._written = 0

    def write(self, text: str) -> None:
        at = time.strftime("%H:%M:%S", time.gmtime())
        with self._lock:
            for line in text.splitlines() or [""]:
                self._written += 1
                self._lines.append((self._written, f"{at} {line}"[:LONGEST_LINE]))

    def untold(self) -> tuple[int, tuple[str, ...]]:
        """The number of the last one, and all of them."""
        with self._lock:
            return self._written, tuple(line for _, line in self._lines)

    def told(self, last: int) -> None:
        """The platform has heard all up to this number."""
        with self._lock:
            while self._lines and self._lines[0][0] <= last:
                self._lines.popleft()
