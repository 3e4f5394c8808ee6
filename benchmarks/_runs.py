"""What every server is sent in `intake`: the same metric points, by runs that have a client each."""

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain

import httpx

VALUES = 20
Point = tuple[str, int, str, float]
"""Run, step, key, value."""


@dataclass
class Run:
    """A training run at a server, which reports steps of 20 values each, one request after the other."""

    id: str
    client: httpx.Client
    path: str
    body: Callable[[range], bytes]
    """The request that reports these steps."""
    next_step: int = 1

    def requests(self, count: int, steps: int) -> list[bytes]:
        """The next requests of so many steps, ready to be sent."""
        firsts = [self.next_step + n * steps for n in range(count)]
        self.next_step += count * steps
        return [self.body(range(first, first + steps)) for first in firsts]

    def send(self, requests: list[bytes]) -> list[float]:
        """Seconds until each was answered."""
        return [self._seconds(request) for request in requests]

    def _seconds(self, request: bytes) -> float:
        began = time.perf_counter()
        self.client.post(self.path, content=request).raise_for_status()
        return time.perf_counter() - began

    def points(self) -> Iterator[Point]:
        """Every point that was sent."""
        for step in range(1, self.next_step):
            yield from ((self.id, step, key, value) for key, value in values(step).items())


@dataclass(frozen=True)
class Server:
    """A server that takes in points, and how to read from its database what it has kept."""

    runs: tuple[Run, ...]
    kept: Callable[[], Iterator[Point]]

    def rate(self, clients: int, requests: int, steps: int) -> float:
        """Points a second, when so many requests in all come from so many clients at a time."""
        runs = self.runs[:clients]
        bodies = [run.requests(requests // clients, steps) for run in runs]
        began = time.perf_counter()
        _send_at_once(runs, bodies)
        return (requests // clients) * clients * steps * VALUES / (time.perf_counter() - began)

    def check(self) -> int:
        """The number of points in its database. Raises AssertionError when they are not those that were sent."""
        kept = sorted(self.kept())
        assert kept == sorted(chain.from_iterable(run.points() for run in self.runs)), "a point was lost or changed"
        return len(kept)


def _send_at_once(runs: Sequence[Run], bodies: list[list[bytes]]) -> None:
    with ThreadPoolExecutor(len(runs)) as clients:
        list(clients.map(Run.send, runs, bodies))


def values(step: int) -> dict[str, float]:
    return {f"group/metric_{n}": step / (n + 1) for n in range(VALUES)}
