"""How many metric points a second the platform takes in over HTTP, with MLflow beside it: SQLite, and PostgreSQL where
there is one.

First the platform alone: one client, batches of 200 steps with 20 values each, as a worker that comes back after an
outage sends them, beside the bare HTTP round trip of the same server. Then the same points to both servers in turn, in
requests of 1,000 points (MLflow takes no more in one), from one client and from four at a time. Both servers run
throughout, each on a database of its own, with the settings that it comes with. The result is the median of the pairs'
ratios. At the end each database must hold every point that was sent, and no other.
"""

import os
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

from benchmarks._mlflow import POINTS_A_REQUEST, VERSION, WORKERS, install, mlflow
from benchmarks._runs import VALUES, Run, Server
from benchmarks._whetstone import whetstone
from scripts import machine

BATCHES, STEPS = 50, 200
PAIRS, REQUESTS, CLIENTS = 5, 40, (1, 4)


def main() -> None:
    program = install()
    if program is None:
        print("MLflow could not be installed from PyPI; the reason stands above. Whetstone is measured alone.")
    _measure("SQLite", None, program)
    server = machine.postgres()
    if server is None:
        return print("PostgreSQL   left out: none lets databases be made here")
    _measure("PostgreSQL", server, program)


def _measure(name: str, postgres: str | None, program: Path | None) -> None:
    with _database(postgres) as url, whetstone(url, max(CLIENTS)) as ours:
        _alone(name, ours)
        if program is None:
            return print(f"{name:<12} kept {ours.check():,} points")
        with _database(postgres) as other, mlflow(program, other, max(CLIENTS)) as theirs:
            _beside(name, ours, theirs)
            print(f"{name:<12} kept, all that was sent: Whetstone {ours.check():,}, MLflow {theirs.check():,} points")


@contextmanager
def _database(postgres: str | None) -> Iterator[str | None]:
    with machine.fresh_database(postgres) if postgres else nullcontext() as url:
        yield url


def _alone(name: str, ours: Server) -> None:
    run = ours.runs[0]
    trip = statistics.median(_trip(run) for _ in range(20))
    seconds = run.send(run.requests(BATCHES, STEPS))
    rate, worst = STEPS * VALUES / statistics.median(seconds), max(seconds)
    print(f"{name:<12} {rate:12,.0f} points/s   slowest batch {worst * 1000:6.0f} ms   bare trip {trip * 1000:5.1f} ms")


def _beside(name: str, ours: Server, theirs: Server) -> None:
    """The first pair is not counted: only then is all of both servers loaded."""
    print(f"{name:<12} beside MLflow {VERSION}, {WORKERS} gunicorn workers, {POINTS_A_REQUEST:,} points a request")
    _pair(0, ours, theirs, max(CLIENTS))
    for clients in CLIENTS:
        pairs = [_pair(n, ours, theirs, clients) for n in range(PAIRS)]
        ratios = [one / other for one, other in pairs]
        mine, its = (statistics.median(side) for side in zip(*pairs, strict=True))
        print(
            f"{clients:>5} client{'s' if clients > 1 else ' '} Whetstone {mine:8,.0f} points/s   MLflow {its:8,.0f}"
            f"   ratio {statistics.median(ratios):.1f}, {min(ratios):.1f} to {max(ratios):.1f} in {PAIRS} pairs"
            f"   load {os.getloadavg()[0]:.1f}",
            flush=True,
        )


def _pair(number: int, ours: Server, theirs: Server, clients: int) -> tuple[float, float]:
    """Points a second of both. Who goes first changes."""
    servers = (ours, theirs) if number % 2 == 0 else (theirs, ours)
    rates = [server.rate(clients, REQUESTS, POINTS_A_REQUEST // VALUES) for server in servers]
    return (rates[0], rates[1]) if number % 2 == 0 else (rates[1], rates[0])


def _trip(run: Run) -> float:
    began = time.perf_counter()
    run.client.get("/healthz")
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
