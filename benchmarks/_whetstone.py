"""A platform of its own, with jobs that nobody but the benchmark claims."""

import json
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx

from benchmarks._database import rows
from benchmarks._runs import Point, Run, Server, values
from contracts.event import Claim, ClaimRequest, Metrics, Report, Reports
from tests.end_to_end.laptop import PREPARE, Laptop, created, up, upload

QUESTIONS = [{"messages": [{"role": "user", "content": f"{n}+{n}="}], "answer": str(2 * n)} for n in range(64)]
GRADER = {"type": "string_check", "operation": "eq", "reference": "{{ item.answer }}"}
HELLO = {"worker": "bench", "pool": "bench", "machine": {"host": "here", "pid": 1, "cores": 1, "memory_gb": 1}}
KEPT = "SELECT job_id, step, data FROM jobs_event WHERE type = 'metrics'"


@contextmanager
def whetstone(database_url: str | None, runs: int) -> Iterator[Server]:
    """`manage.py up` on SQLite, or on the database that is given."""
    with (
        tempfile.TemporaryDirectory() as folder,
        up(Path(folder), database_url=database_url) as laptop,
        ExitStack() as clients,
    ):
        database = database_url or f"sqlite:///{laptop.home / 'platform.sqlite3'}"
        claims = list(_claims(laptop, runs))
        yield Server(tuple(_run(clients, laptop.url, claim) for claim in claims), lambda: _kept(database))


def _claims(laptop: Laptop, count: int) -> Iterator[Claim]:
    laptop.manage("shell", "--no-imports", "--command", PREPARE)
    token = (laptop.home / "worker.token").read_text()
    asked = ClaimRequest(worker="bench", pool="bench").model_dump_json()
    with laptop.api() as api, _client(laptop.url, token) as worker:
        worker.post("/api/worker/hello", json=HELLO).raise_for_status()
        method = {"type": "grpo", "grpo": {"grader": GRADER}}
        file = upload(api, "questions.jsonl", QUESTIONS)["id"]
        draft = {"model": "starter-blank", "training_file": file, "method": method, "resources": {"pool": "bench"}}
        for _ in range(count):
            created(api, draft)
            yield Claim.model_validate_json(worker.post("/api/worker/claim", content=asked).content)


def _run(clients: ExitStack, url: str, claim: Claim) -> Run:
    client = clients.enter_context(_client(url, claim.token))
    return Run(claim.spec.job, client, f"/api/worker/jobs/{claim.spec.job}/events", _body)


def _client(url: str, token: str) -> httpx.Client:
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    return httpx.Client(base_url=url, headers=headers, timeout=60)


def _body(steps: range) -> bytes:
    reports = (Report(seq=step, at=time.time(), event=Metrics(step=step, values=values(step))) for step in steps)
    return Reports(reports=tuple(reports)).model_dump_json().encode()


def _kept(database: str) -> Iterator[Point]:
    for job, step, data in rows(database, KEPT):
        kept = json.loads(data) if isinstance(data, str) else data  # SQLite keeps JSON as text
        yield from ((job, step, key, value) for key, value in kept["values"].items())
