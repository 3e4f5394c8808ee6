"""A training as a job does it, on the starter model, and what its held-out data says before and after."""

import os
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import orjson
import pytest

from contracts.dataset import guess_mapping
from contracts.event import Evaluation, Finished, Metrics, WorkerEvent
from contracts.job import DatasetRef, FileRef, JobSpec, ModelRef
from contracts.method import Method, canonical
from contracts.resolve import Facts, resolve, total_steps
from graders import parse
from graders.schema import Grader
from trainer_worker.assignment import Assignment
from trainer_worker.launching import LauncherProcess
from trainer_worker.machine import usable_cores
from trainer_worker.orders import Orders, write_orders
from trainer_worker.spool import SpoolReader
from whetstone.starter import data, model, recipe

FULL = os.environ.get("WHETSTONE_TEST_LEARN") == "full"
PATIENCE_S = 800.0
SUM: Grader = parse(recipe.EVALUATOR)

Row = Mapping[str, Any]

learning = (pytest.mark.learn, pytest.mark.timeout(900))
"""For every test here. On a busy machine a minute's training takes several."""
full_form_only = pytest.mark.skipif(not FULL, reason="learns for a while: make learn")


@dataclass(frozen=True)
class Learned:
    """What a training came to."""

    method: str
    model: Path
    evaluations: dict[int, dict[str, float]]
    """Held-out values by step."""
    metrics: dict[int, dict[str, float]]
    took_s: float

    def before(self, name: str = "accuracy") -> float:
        return self.evaluations[min(self.evaluations)][name]

    def after(self, name: str = "accuracy") -> float:
        return self.evaluations[max(self.evaluations)][name]

    def gain(self, name: str = "accuracy") -> float:
        return self.after(name) - self.before(name)

    def line(self) -> str:
        """For the end of the test run: what every held-out value was and has become."""
        said = [f"{name} {self.before(name):.3f} -> {self.after(name):.3f}" for name in self.evaluations[0]]
        return f"{self.method}: {', '.join(said)}; {max(self.metrics)} steps, {self.took_s:.0f} s"


class Room:
    """Where trainings run, each in a process of its own that a warm launcher forks."""

    def __init__(self, launcher: LauncherProcess, folder: Path) -> None:
        self._launcher = launcher
        self._folder = folder
        self.held: list[Learned] = []

    def learn(
        self,
        method: Method,
        rows: Iterable[Row],
        held_out: Iterable[Row],
        *,
        base: Path,
        grader: Grader | None = SUM,
        seed: int = 1,
    ) -> Learned:
        """Train `base` with the method on the rows. Fails with the training's log when it does not end well.

        `grader` scores the model's own answers to the held-out rows, and is the reward where the method has one.
        """
        folder = self._folder / "jobs" / f"ftjob-{len(self.held)}" / "1"
        assignment = _assignment(folder, method, list(rows), list(held_out), base, grader, seed)
        began = time.monotonic()
        events = self._train(assignment)
        found = Learned(
            method=assignment.spec.method.type,
            model=assignment.final_model,
            evaluations={event.step: event.values for event in events if isinstance(event, Evaluation)},
            metrics={event.step: event.values for event in events if isinstance(event, Metrics)},
            took_s=time.monotonic() - began,
        )
        self.held.append(found)
        return found

    def _train(self, assignment: Assignment) -> list[WorkerEvent]:
        training = self._launcher.launch(assignment.file)
        give_up = time.monotonic() + PATIENCE_S
        while training.status is None:
            assert time.monotonic() < give_up, assignment.log.read_text()[-3000:]
            self._launcher.listen(1.0)
        events = SpoolReader(assignment.spool).events()
        assert isinstance(events[-1], Finished), f"{events[-1]}\n{assignment.log.read_text()[-3000:]}"
        return events


def _assignment(
    folder: Path, method: Method, rows: list[Row], held_out: list[Row], base: Path, grader: Grader | None, seed: int
) -> Assignment:
    good = sum(row.get("label") is True for row in rows)
    facts = Facts(rows=len(rows), parameters=model.parameters(), desirable=good)
    resolved = resolve(canonical(method), facts)
    folder.mkdir(parents=True)
    spec = JobSpec(
        job=folder.parent.name,
        model=ModelRef(name="starter", files=(), parameters=model.parameters()),
        training=_written(folder / "training.jsonl", rows),
        validation=_written(folder / "held-out.jsonl", held_out),
        method=resolved,
        grader=grader,
        evaluator=None,
        total_steps=total_steps(resolved, len(rows)),
        seed=seed,
    )
    assignment = Assignment(
        spec=spec,
        attempt=1,
        worker="worker",
        folder=folder,
        model=base,
        training=folder / "training.jsonl",
        validation=folder / "held-out.jsonl",
        resume=None,
        trained_tokens=0,
        threads=usable_cores(),
    )
    assignment.write()
    write_orders(assignment.orders, Orders(order="go_on", lease_until=time.monotonic() + 3600))
    return assignment


def _written(file: Path, rows: list[Row]) -> DatasetRef:
    file.write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in rows))
    nowhere = FileRef(path=file.name, sha256="0" * 64, size=0)  # the training process reads the file itself
    return DatasetRef(id="file-1", file=nowhere, mapping=guess_mapping(tuple(rows[0])), rows=len(rows))


def held_out(split: data.Split = "test", rows: int | None = None) -> Iterator[Row]:
    """Problems that no training sees. Settings are chosen on “validation”, and “test” says how well it went."""
    return islice(data.problems(split), rows)
