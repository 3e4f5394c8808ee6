"""How many metric points a second the platform takes in over HTTP: SQLite, and PostgreSQL where there is one.

One client, batches of 200 steps with 20 values each, as a worker that comes back after an outage sends them. What is
compared with: the bare HTTP round trip of the same server in the same run.
"""

import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from contracts.event import Claim, ClaimRequest, Metrics, Report, Reports
from scripts import machine
from tests.end_to_end.laptop import PREPARE, created, up, upload

BATCHES, STEPS, VALUES = 50, 200, 20
QUESTIONS = [{"messages": [{"role": "user", "content": f"{n}+{n}="}], "answer": str(2 * n)} for n in range(64)]
GRADER = {"type": "string_check", "operation": "eq", "reference": "{{ item.answer }}"}


def main() -> None:
    _measure("SQLite", None)
    server = machine.postgres()
    if server is None:
        return print("PostgreSQL                 left out: none lets databases be made here")
    with machine.fresh_database(server) as url:
        _measure("PostgreSQL", url)


def _measure(name: str, database_url: str | None) -> None:
    with _platform(database_url) as (url, claim, trips):
        seconds = list(_send(url, claim))
    points = STEPS * VALUES
    rate, worst = points / statistics.median(seconds), max(seconds)
    print(
        f"{name:<12} {rate:12,.0f} points/s   slowest batch {worst * 1000:6.0f} ms   bare trip {trips * 1000:5.1f} ms"
    )


@contextmanager
def _platform(database_url: str | None) -> Iterator[tuple[str, Claim, float]]:
    """A platform with one job, which nobody but us claims."""
    with tempfile.TemporaryDirectory() as home, up(Path(home), database_url=database_url) as laptop:
        laptop.manage("shell", "--no-imports", "--command", PREPARE)
        token = (Path(home) / "worker.token").read_text()
        with laptop.api() as api, httpx.Client(base_url=laptop.url, headers=_bearer(token)) as worker:
            hello = {
                "worker": "bench",
                "pool": "bench",
                "machine": {"host": "here", "pid": 1, "cores": 1, "memory_gb": 1},
            }
            worker.post("/api/worker/hello", json=hello).raise_for_status()
            file = upload(api, "questions.jsonl", QUESTIONS)["id"]
            method = {"type": "grpo", "grpo": {"grader": GRADER}}
            draft = {"model": "starter-blank", "training_file": file, "method": method, "resources": {"pool": "bench"}}
            created(api, draft)
            request = ClaimRequest(worker="bench", pool="bench")
            claim = Claim.model_validate_json(
                worker.post("/api/worker/claim", content=request.model_dump_json()).content
            )
            yield laptop.url, claim, statistics.median(_trip(api) for _ in range(20))


def _send(url: str, claim: Claim) -> Iterator[float]:
    """Seconds for each batch."""
    path = f"/api/worker/jobs/{claim.spec.job}/events"
    with httpx.Client(base_url=url, headers=_bearer(claim.token), timeout=30) as worker:
        for batch in range(BATCHES):
            steps = range(1 + batch * STEPS, 1 + (batch + 1) * STEPS)
            reports = tuple(
                Report(seq=step, at=time.time(), event=Metrics(step=step, values=_values(step))) for step in steps
            )
            body = Reports(reports=reports).model_dump_json()
            started = time.perf_counter()
            worker.post(path, content=body).raise_for_status()
            yield time.perf_counter() - started


def _values(step: int) -> dict[str, float]:
    return {f"group/metric_{n}": step / (n + 1) for n in range(VALUES)}


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}


def _trip(api: httpx.Client) -> float:
    started = time.perf_counter()
    api.get("/healthz")
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
