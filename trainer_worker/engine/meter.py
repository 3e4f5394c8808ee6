"""What a deployment is asked and how fast it answers, counted from what passes by: the same for every engine."""

import statistics
import threading
import time
from collections import deque
from dataclasses import dataclass

from contracts.completion import Ask, Delta, Marks, Question, Refusal, Said, Taken
from contracts.serving import Counts

WINDOW_S = 10
REMEMBERED = 100
"""Requests whose first token, or whose scores, count."""
TOTALS = ("requests", "errors", "cancelled", "prompt_tokens", "tokens", "scores")


@dataclass
class Open:
    """A request that is being answered."""

    since: float
    choices: int
    is_read_along: bool
    has_begun: bool = False


class Meter:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: dict[str, Open] = {}
        self._totals = dict.fromkeys(TOTALS, 0)
        self._firsts_ms: deque[float] = deque(maxlen=REMEMBERED)
        self._seconds: deque[tuple[int, int]] = deque()
        """Tokens that were written, or read to be scored, in each of the last seconds."""

    def begin(self, ask: Question) -> None:
        choices, is_read_along = (ask.choices, ask.in_pieces) if isinstance(ask, Ask) else (1, False)
        with self._lock:
            self._totals["requests"] += 1
            self._open[ask.id] = Open(time.monotonic(), choices, is_read_along)

    def hear(self, said: Said) -> None:
        with self._lock:
            if (request := self._open.get(said.ask)) is None:
                return
            if isinstance(said, Taken):
                self._totals["prompt_tokens"] += said.prompt_tokens
            elif isinstance(said, Refusal):
                self._totals["errors"] += 1
                del self._open[said.ask]
            elif isinstance(said, Marks):
                self._rate(said, request)
            else:
                self._write(said, request)

    def _rate(self, said: Marks, request: Open) -> None:
        now = time.monotonic()
        tokens = sum(mark.tokens for mark in said.marks)
        self._firsts_ms.append(1000 * (now - request.since))
        self._totals["prompt_tokens"] += tokens
        self._totals["scores"] += len(said.marks)
        self._count(int(now), tokens)
        del self._open[said.ask]

    def _write(self, said: Delta, request: Open) -> None:
        now = time.monotonic()
        if request.is_read_along and not request.has_begun:
            self._firsts_ms.append(1000 * (now - request.since))
        request.has_begun = True
        self._totals["tokens"] += said.tokens
        self._count(int(now), said.tokens)
        request.choices -= said.finish is not None
        if not request.choices:
            del self._open[said.ask]

    def _count(self, second: int, tokens: int) -> None:
        if self._seconds and self._seconds[-1][0] == second:
            self._seconds[-1] = (second, self._seconds[-1][1] + tokens)
        else:
            self._seconds.append((second, tokens))

    def cancel(self, ask: str) -> None:
        with self._lock:
            self._totals["cancelled"] += self._open.pop(ask, None) is not None

    def counts(self) -> Counts:
        with self._lock:
            while self._seconds and self._seconds[0][0] < int(time.monotonic()) - WINDOW_S:
                self._seconds.popleft()
            tokens = sum(count for _, count in self._seconds)
            first = statistics.median(self._firsts_ms) if self._firsts_ms else None
            speed = round(tokens / WINDOW_S, 1)
            return Counts(**self._totals, tokens_per_s=speed, first_token_ms=first and round(first, 1))
