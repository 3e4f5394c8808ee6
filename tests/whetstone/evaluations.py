"""Evaluations that a worker has carried out, as far as the platform can tell: claimed, reported, ended."""

import io
import json
import time
from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from contracts.evaluation import EvaluationDraft
from contracts.event import AnswersScored, Evaluated, Metrics, Report, RolloutsWritten, WorkerEvent
from graders import Grade
from tests.whetstone.factories import EXACT, PROMPTS, make_dataset, make_model, make_team, make_user
from trainer_worker.rollouts import SCHEMA
from whetstone.accounts.models import User
from whetstone.artifacts.store import put_bytes
from whetstone.datasets.models import DatasetVersion
from whetstone.evaluations.launch import launch
from whetstone.evaluations.models import Evaluation
from whetstone.jobs.claim import claim
from whetstone.jobs.models import Job
from whetstone.jobs.record import record

Score = float | None


def draft(**fields: Any) -> EvaluationDraft:
    return EvaluationDraft.model_validate({"model": "tiny", "dataset": "sums", "grader": EXACT} | fields)


def make_evaluation(user: User | None = None, **fields: Any) -> Evaluation:
    """Queued."""
    person = user or make_user()
    make_model(fields.get("model", "tiny"), person)
    if not DatasetVersion.objects.filter(team=make_team(person), dataset__name="sums").exists():
        make_dataset(user=person)
    return launch(person, make_team(person), draft(**fields)).evaluation


def evaluated(scores: Sequence[Sequence[Score]], text: str = "an answer", **fields: Any) -> Evaluation:
    """Carried out: row n got these scores, one for each sample; in batches of two rows."""
    settings = {"samples": len(scores[0]), "batch_size": 2, "limit": len(scores)}
    found = make_evaluation(**({"settings": settings} | fields))
    carry_out(found.job, scores, text)
    return Evaluation.objects.select_related("job__base", "job__validation__dataset").get(job_id=found.job_id)


def carry_out(job: Job, scores: Sequence[Sequence[Score]], text: str = "an answer", upto: int | None = None) -> str:
    """The token of the attempt. `upto`: the step before which its worker falls silent."""
    claimed = claim("w1", "cpu")
    assert claimed is not None
    assert claimed.spec.job == job.id
    first = claimed.resume.step if claimed.resume else 0
    steps = -(-len(scores) // 2)
    events: list[WorkerEvent] = []
    for step in range(first + 1, (upto or steps) + 1):
        rows = range(2 * step - 2, min(2 * step, len(scores)))
        events += batch(job, step, {row: scores[row] for row in rows}, text)
    if upto is None:
        events.append(Evaluated(step=steps, peak_memory=1_000_000))
    record(job.id, claimed.token, reports(*events))
    return claimed.token


def batch(job: Job, step: int, scores: dict[int, Sequence[Score]], text: str = "an answer") -> list[WorkerEvent]:
    numbers = [row for row, given in scores.items() for _ in given]
    flat = [score for given in scores.values() for score in given]
    told = AnswersScored(
        step=step,
        rows=tuple(numbers),
        scores=tuple(flat),
        tokens=tuple(3 + row for row in numbers),
        truncated=tuple(row == 0 for row in numbers),
        failed=tuple(score is None for score in flat),
    )
    return [Metrics(step=step, values={"reward_mean": 0.5}), told, _part(job, step, numbers, flat, text)]


def _part(job: Job, step: int, numbers: list[int], scores: list[Score], text: str) -> RolloutsWritten:
    rows = [
        {"step": step, "group": 0, "prompt": PROMPTS[row]["messages"][0]["content"], "completion": f"{text} {n}"}
        | {"item": json.dumps({"answer": PROMPTS[row]["answer"]}), "reward": score, "advantage": None, "tokens": 3}
        | {
            "truncated": False,
            "grade": json.dumps(Grade(score, "exact", "string_check").to_json()),
            "row": row,
        }
        for n, (row, score) in enumerate(zip(numbers, scores, strict=True))
    ]
    part = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows, schema=SCHEMA), part)
    file = put_bytes(job.team, part.getvalue()).ref(f"{step}.parquet")
    return RolloutsWritten(step=step, first_step=step, rows=len(rows), file=file)


def reports(*events: WorkerEvent, first: int = 1) -> tuple[Report, ...]:
    return tuple(Report(seq=seq, at=time.time(), event=event) for seq, event in enumerate(events, start=first))
