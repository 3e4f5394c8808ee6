"""What the platform's database says, read beside the platform: it also answers while the web is dead."""

import json
import sqlite3
import time
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import psycopg2

# Numbers of a step that depend on nothing but what was computed before it.
EXACT = ("loss", "grad_norm", "learning_rate", "reward")
MODEL = "SELECT m.files FROM modelhub_model m JOIN jobs_job j ON j.trained_id = m.id WHERE j.id = {}"
METRICS = "SELECT step, data FROM jobs_event WHERE job_id = {} AND type = 'metrics' ORDER BY number"
CHECKPOINTS = "SELECT data FROM jobs_event WHERE job_id = {} AND type = 'checkpoint' ORDER BY step"
PATIENCE_S = 60
FAULTS = "SELECT fault FROM jobs_attempt WHERE job_id = {} AND fault IS NOT NULL ORDER BY number"
JOB = "SELECT status, step, attempt, reason FROM jobs_job WHERE id = {}"


@dataclass(frozen=True)
class JobNow:
    status: str
    step: int
    attempt: int
    reason: str

    @property
    def has_ended(self) -> bool:
        return self.status in ("succeeded", "failed", "cancelled")


@dataclass(frozen=True)
class Outcome:
    """All of a job that a fault must not change."""

    status: str
    steps: tuple[int, ...]
    values: tuple[tuple[float | None, ...], ...]
    weights: str
    """SHA-256 of the final model.safetensors."""


@dataclass(frozen=True)
class Database:
    url: str

    def job(self, job: str) -> JobNow:
        return JobNow(*self._ask(JOB, job)[0])

    def outcome(self, job: str) -> Outcome:
        told = [(step, _decoded(data)["values"]) for step, data in self._ask(METRICS, job)]
        files = [file for (files,) in self._ask(MODEL, job) for file in _decoded(files)]
        return Outcome(
            status=self.job(job).status,
            steps=tuple(step for step, _ in told),
            values=tuple(tuple(values.get(name) for name in EXACT) for _, values in told),
            weights=next((file["sha256"] for file in files if file["path"] == "model.safetensors"), "no model"),
        )

    def faults(self, job: str) -> list[str]:
        """Why its attempts failed."""
        return [_decoded(fault)["code"] for (fault,) in self._ask(FAULTS, job) if _decoded(fault)]

    def newest_checkpoint(self, job: str) -> dict[str, str]:
        """Path of each of its files -> SHA-256."""
        return {file["path"]: file["sha256"] for file in _decoded(self._ask(CHECKPOINTS, job)[-1][0])["files"]}

    def _ask(self, question: str, job: str) -> list[Any]:  # Any: a row's columns
        if self.url.startswith("sqlite"):
            path = self.url.removeprefix("sqlite:///")
            with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=30)) as sqlite:
                return sqlite.execute(question.format("?"), (job,)).fetchall()
        give_up = time.monotonic() + PATIENCE_S
        while time.monotonic() < give_up:
            try:
                with closing(psycopg2.connect(self.url)) as postgres, postgres.cursor() as cursor:
                    cursor.execute(question.format("%s"), (job,))
                    return cursor.fetchall()
            except psycopg2.OperationalError:
                time.sleep(0.05)  # a row's fault was meant for the platform, and met us
        raise AssertionError("PostgreSQL does not answer")


def _decoded(value: Any) -> Any:  # Any: SQLite keeps JSON as text, PostgreSQL hands it out as it is
    return json.loads(value) if isinstance(value, str) else value
