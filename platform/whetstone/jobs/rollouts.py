"""What the model answered in training, read from parquet parts with DuckDB."""

import json
from collections.abc import Sequence
from typing import Any, Literal, cast

import duckdb
from django.db.models import Exists, OuterRef
from pydantic import JsonValue
from typing_extensions import TypedDict  # Pydantic reads no other before Python 3.12

from contracts.job import FileRef
from graders.receipt import GradeJson
from whetstone.accounts.models import Team
from whetstone.accounts.scope import owned
from whetstone.artifacts.store import missing
from whetstone.jobs.models import Event, Job
from whetstone.jobs.parts import local

Order = Literal["worst", "best", "newest"]
ORDERS = {
    "newest": 'step DESC, "group", reward DESC NULLS LAST',
    "worst": "reward ASC NULLS FIRST, step DESC",
    "best": "reward DESC NULLS LAST, step DESC",
}
COLUMNS = 'step, "group", prompt, completion, item, reward, advantage, tokens, truncated, grade'


class Rollout(TypedDict):
    """One completion sampled in training, with its grade's receipt."""

    step: int
    group: int
    prompt: str
    completion: str
    item: dict[str, JsonValue]
    reward: float | None
    advantage: float | None
    tokens: int
    truncated: bool
    grade: GradeJson


class Rollouts(TypedDict):
    rows: list[Rollout]
    steps: list[int]
    total: int


class Extremes(TypedDict):
    """The answers of one prompt with the highest and the lowest reward."""

    step: int
    prompt: str
    best: str
    worst: str


def jobs_with_rollouts(team: Team, most: int = 50) -> list[Job]:
    """The newest jobs whose answers are still stored."""
    parts = Event.objects.filter(job=OuterRef("pk"), type="rollouts")
    return list(owned(Job, team).filter(Exists(parts))[:most])


def rollouts(job: Job, *, step: int | None, order: Order, limit: int, offset: int) -> Rollouts:
    """A page of rollouts, and the steps there are."""
    parts = list(job.events.filter(type="rollouts").order_by("step"))
    steps = sorted({n for part in parts for n in range(part.data["first_step"], (part.step or 0) + 1)})
    if step is not None:
        parts = [part for part in parts if part.data["first_step"] <= step <= (part.step or 0)]
    if not parts:
        return {"rows": [], "steps": steps, "total": 0}
    files = [str(path) for path in local(job.team, [FileRef.model_validate(part.data["file"]) for part in parts])]
    with duckdb.connect(config={"memory_limit": "512MB", "threads": 1}) as db:
        where = "" if step is None else "WHERE step = $step"
        values: dict[str, Any] = {"files": files} | ({} if step is None else {"step": step})
        total = db.execute(f"SELECT count(*) FROM read_parquet($files) {where}", values).fetchone()
        query = f"SELECT {COLUMNS} FROM read_parquet($files) {where} ORDER BY {ORDERS[order]} LIMIT $n OFFSET $o"
        found = db.execute(query, values | {"n": limit, "o": offset})
        names = [column[0] for column in found.description or []]
        rows = [_row(dict(zip(names, row, strict=True))) for row in found.fetchall()]
    return {"rows": rows, "steps": steps, "total": total[0] if total else 0}


def answers_to(job: Job, rows: Sequence[int]) -> dict[int, list[Rollout]]:
    """Of an evaluation: what is still stored of the answers to these rows, in the order in which they were sampled."""
    parts = job.events.filter(type="rollouts").order_by("step").values_list("data", flat=True)
    refs = [FileRef.model_validate(data["file"]) for data in parts]
    lost = {file.sha256 for file in missing(job.team, refs)}
    files = [str(path) for path in local(job.team, [ref for ref in refs if ref.sha256 not in lost])]
    found: dict[int, list[Rollout]] = {}
    if not files or not rows:
        return found
    with duckdb.connect(config={"memory_limit": "512MB", "threads": 1}) as db:
        query = f'SELECT "row", {COLUMNS} FROM read_parquet($files) WHERE "row" IN (SELECT unnest($rows))'
        told = db.execute(query, {"files": files, "rows": list(rows)})
        names = [column[0] for column in told.description or []][1:]
        for number, *values in told.fetchall():
            found.setdefault(number, []).append(_row(dict(zip(names, values, strict=True))))
    return found


def extremes(job: Job, *, limit: int, offset: int) -> list[Extremes] | None:
    """Of every prompt of every step, newest first, as far as its answers differ. None for a job without rollouts.

    Of equal rewards the texts decide, so that the same place holds the same pair.
    """
    parts = list(job.events.filter(type="rollouts"))
    if not parts:
        return None
    files = [str(path) for path in local(job.team, [FileRef.model_validate(part.data["file"]) for part in parts])]
    query = """
        SELECT step, any_value(prompt) AS prompt,
            arg_max(completion, (coalesce(reward, '-inf'::DOUBLE), completion)) AS best,
            arg_min(completion, (coalesce(reward, '-inf'::DOUBLE), completion)) AS worst
        FROM read_parquet($files) WHERE trim(completion) <> ''
        GROUP BY step, "group" HAVING count(DISTINCT completion) > 1
        ORDER BY step DESC, "group" LIMIT $n OFFSET $o"""
    with duckdb.connect(config={"memory_limit": "512MB", "threads": 1}) as db:
        found = db.execute(query, {"files": files, "n": limit, "o": offset}).fetchall()
    return [{"step": step, "prompt": prompt, "best": best, "worst": worst} for step, prompt, best, worst in found]


def _row(row: dict[str, Any]) -> Rollout:  # Any: of the columns' types
    told = row | {"item": json.loads(row["item"]), "grade": json.loads(row["grade"])}
    return cast(Rollout, told)
