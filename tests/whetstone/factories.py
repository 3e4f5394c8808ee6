"""Plain makers of the platform's things, with defaults that hang together."""

import io
import json
import time
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from django.core.files.uploadedfile import TemporaryUploadedFile
from django.utils import timezone

from contracts.event import Report, RolloutsWritten
from contracts.job import JobDraft
from contracts.resource import Machine
from trainer_worker.rollouts import SCHEMA
from whetstone.accounts.models import ApiKey, Team, User
from whetstone.accounts.scope import team_of
from whetstone.artifacts.store import put_bytes
from whetstone.datasets.ingest import ingest
from whetstone.datasets.models import DatasetVersion
from whetstone.jobs.claim import claim
from whetstone.jobs.launch import launch
from whetstone.jobs.models import Job, Round
from whetstone.jobs.record import record
from whetstone.jobs.supervise import supervise
from whetstone.modelhub.models import Model
from whetstone.workers.models import Worker

EXACT = {"type": "string_check", "name": "exact", "operation": "eq"} | {
    "input": "{{ sample.output_text }}",
    "reference": "{{ item.answer }}",
}
PROMPTS: list[dict[str, Any]] = [
    {"messages": [{"role": "user", "content": f"{n}+{n}=?"}], "answer": str(2 * n)} for n in range(20)
]
CHATS: list[dict[str, Any]] = [
    row | {"messages": [*row["messages"], {"role": "assistant", "content": row["answer"]}]} for row in PROMPTS
]
PAIRS: list[dict[str, Any]] = [
    {"prompt": f"{n}+{n}=?", "chosen": str(2 * n), "rejected": str(2 * n + 1), "answer": str(2 * n)} for n in range(20)
]
LABELLED: list[dict[str, Any]] = [
    {"prompt": f"{n}+{n}=?", "completion": str(2 * n + n % 2), "label": n % 2 == 0, "answer": str(2 * n)}
    for n in range(20)
]
MACHINE = Machine(host="here", pid=1, cores=2, memory_gb=8)


def make_user(name: str = "ada") -> User:
    user, _ = User.objects.get_or_create(username=name)
    return user


def make_team(user: User | None = None) -> Team:
    return team_of(user or make_user())


def make_key(user: User | None = None) -> str:
    person = user or make_user()
    return ApiKey.make(person, team_of(person))[1]


def jsonl(rows: Iterable[object]) -> bytes:
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


def make_dataset(
    rows: list[dict[str, Any]] | bytes | None = None, name: str = "sums", user: User | None = None
) -> DatasetVersion:
    person = user or make_user()
    content = rows if isinstance(rows, bytes) else jsonl(rows or PROMPTS)
    with TemporaryUploadedFile(f"{name}.jsonl", "application/jsonl", len(content), None) as upload:
        upload.write(content)
        return ingest(person, make_team(person), upload, name=name)


def make_model(name: str = "tiny", user: User | None = None) -> Model:
    person = user or make_user()
    model, _ = Model.objects.get_or_create(
        team=make_team(person),
        name=name,
        defaults={"origin": "imported", "parameters": 1_000_000, "context_length": 128, "created_by": person},
    )
    return model


def make_draft(**fields: Any) -> JobDraft:
    document = {"model": "tiny", "training_file": "sums", "method": {"type": "grpo", "grpo": {"grader": EXACT}}}
    return JobDraft.model_validate(document | fields)


def make_job(user: User | None = None, **fields: Any) -> Job:
    person = user or make_user()
    make_model(user=person)
    if not DatasetVersion.objects.filter(team=make_team(person), dataset__name="sums").exists():
        make_dataset(user=person)
    return launch(person, make_team(person), make_draft(**fields))


def make_rollouts(answers: Iterable[str], user: User | None = None, n_answers: int = 1, **fields: Any) -> Job:
    """A job that sampled these answers to its dataset's first rows, one a step, and got a reward of a half for each.
    Further answers to the same row end in exclamation marks."""
    job = make_job(user, **fields)
    claimed = claim("w1", "cpu")
    assert claimed is not None
    assert claimed.spec.job == job.id
    rows = [
        {"step": n, "group": 0, "prompt": row["messages"][0]["content"], "completion": text + "!" * more}
        | {"item": json.dumps(row), "reward": 0.5, "advantage": 0.0, "tokens": len(text), "truncated": False}
        | {"grade": "{}"}
        for n, (text, row) in enumerate(zip(answers, PROMPTS, strict=False), start=1)
        for more in range(n_answers)
    ]
    part = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows, schema=SCHEMA), part)
    file = put_bytes(job.team, part.getvalue()).ref("part.parquet")
    written = RolloutsWritten(step=rows[-1]["step"], first_step=1, rows=len(rows), file=file)
    record(job.id, claimed.token, (Report(seq=1, at=time.time(), event=written),))
    return job


def make_worker(name: str = "w1", pool: str = "cpu") -> Worker:
    """A worker that was heard this moment."""
    seen = {"pool": pool, "machine": MACHINE.model_dump(mode="json"), "seen_at": timezone.now()}
    return Worker.objects.update_or_create(name=name, defaults=seen)[0]


def let_lease_run_out(job: Job) -> None:
    """Its worker is silent while others are heard, and the supervisor looks."""
    make_worker("other")
    Round.objects.update_or_create(id=1, defaults={"at": timezone.now(), "heard": True})
    Job.objects.filter(id=job.id).update(lease_until=timezone.now() - timedelta(minutes=1))
    supervise()
