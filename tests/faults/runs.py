"""Jobs that are harmed, and what is asked of them afterwards."""

import json
import os
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

import httpx
import orjson
import pytest

from scripts.compose import ROOT
from tests.faults.facts import Outcome
from tests.faults.place import Place
from tests.faults.trainers import Trainer, trainers, watching

FULL = os.environ.get("WHETSTONE_TEST_FAULTS") == "full"
RESULTS = ROOT / ".pytest_cache" / "faults.jsonl"
STEPS, LONG = 40, 90
PATIENCE_S = 120
TEXT = "What is asked of a job here is little, and the same each time. " * 4
ROWS = [
    {"messages": [{"role": "user", "content": f"{n}+{n}="}, {"role": "assistant", "content": f"{2 * n}. {TEXT}"}]}
    for n in range(64)
]
SIZES = {"batch_size": 2, "micro_batch_size": 2, "checkpoint_interval": 5, "n_epochs": 50, "learning_rate": 0.001}
SAMPLING = {"num_generations": 4, "max_completion_length": 8, "micro_batch_size": 16}
DIGITS = {"type": "regex", "name": "digits", "pattern": "[0-9]"}
Kind = Literal["full", "grpo"]


full_form_only = pytest.mark.skipif(not FULL, reason="part of the full form: make faults")


def times(full: int, short: int) -> int:
    """How often to try: as `make faults` does, or as `make test`."""
    return full if FULL else short


@dataclass
class Bench:
    """A platform with something to train on, and what trainings without faults came to."""

    place: Place
    api: httpx.Client
    file: str
    undisturbed: dict[tuple[Kind, int], Outcome] = field(default_factory=dict)

    @classmethod
    def at(cls, place: Place) -> "Bench":
        api = place.api()
        content = b"".join(orjson.dumps(row) + b"\n" for row in ROWS)
        answer = api.post("/v1/files", data={"purpose": "fine-tune"}, files={"file": ("rows.jsonl", content)})
        assert answer.status_code == 200, answer.text
        return cls(place, api, answer.json()["id"])

    def launch(self, steps: int, kind: Kind = "full") -> str:
        sizes = SIZES | {"max_steps": steps}
        block = (
            {"hyperparameters": sizes | SAMPLING, "grader": DIGITS} if kind == "grpo" else {"hyperparameters": sizes}
        )
        method = {"type": kind, kind: block}
        draft = {"model": "starter-blank", "training_file": self.file, "method": method, "seed": 3}
        answer = self.api.post("/v1/fine_tuning/jobs", json=draft)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["id"])

    def expected(self, steps: int, kind: Kind = "full") -> Outcome:
        """The oracle: the same training, left alone."""
        if (kind, steps) not in self.undisturbed:
            job = self.launch(steps, kind)
            self.await_end(job)
            self.undisturbed[kind, steps] = outcome = self.place.database.outcome(job)
            assert outcome.status == "succeeded", self.place.database.job(job)
            assert outcome.steps == tuple(range(1, steps + 1))
        return self.undisturbed[kind, steps]

    def await_step(self, job: str, step: int, patience_s: float = PATIENCE_S) -> None:
        """Until the job's reader could see that step."""
        give_up = time.monotonic() + patience_s
        while (now := self.place.database.job(job)).step < step or now.status != "running":
            assert not now.has_ended, now
            assert time.monotonic() < give_up, f"{now}\n{self._logs()}"
            time.sleep(0.02)

    def await_end(self, job: str, patience_s: float = PATIENCE_S) -> None:
        give_up = time.monotonic() + patience_s
        while not (now := self.place.database.job(job)).has_ended:
            assert time.monotonic() < give_up, f"{now}\n{self._logs()}"
            time.sleep(0.05)

    def trainer(self, job: str, patience_s: float = 20) -> Trainer:
        """The newest process that trains this job."""
        give_up = time.monotonic() + patience_s
        while True:
            found = [one for one in trainers(self.place.scratch) if one.job == job]
            if found:
                return max(found, key=lambda one: one.attempt)
            assert time.monotonic() < give_up, f"nobody trains {job}\n{self._logs()}"
            time.sleep(0.02)

    def await_attempt(self, job: str, number: int, patience_s: float = 60) -> None:
        """Until that attempt trains."""
        give_up = time.monotonic() + patience_s
        while not any(one.job == job and one.attempt >= number for one in trainers(self.place.scratch)):
            assert time.monotonic() < give_up, f"{self.place.database.job(job)}\n{self._logs()}"
            time.sleep(0.02)

    def _logs(self) -> str:
        return "\n\n".join(f"{name}\n{self.place.end_of_log(name)}" for name in sorted(self.place.processes))


@dataclass
class Row:
    """A line of the matrix."""

    fault: str
    tried: int = 0
    lost: int = 0
    """Jobs that did not succeed, steps that are missing, weights that differ."""
    doubled: int = 0
    overlaps: int = 0
    """Times, looking every 50 ms, that two processes trained one job."""
    recovered_s: list[float] = field(default_factory=list)
    """From the beginning of the fault until a step was told that had not been told before."""
    why: list[str] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        return (self.lost, self.doubled, self.overlaps) == (0, 0, 0)

    def judge(self, outcome: Outcome, expected: Outcome) -> None:
        self.tried += 1
        missing = set(expected.steps) - set(outcome.steps)
        differs = outcome.status == "succeeded" and outcome.weights != expected.weights
        others = dict(zip(expected.steps, expected.values, strict=True))
        wrong = [step for step, values in zip(outcome.steps, outcome.values, strict=True) if others.get(step) != values]
        if missing or differs or wrong or outcome.status != "succeeded":
            self.lost += 1
            said = f"{outcome.status}, missing {sorted(missing)}, wrong {wrong}, other weights: {differs}"
            self.why.append(said)
        self.doubled += len(outcome.steps) - len(set(outcome.steps))

    def write(self) -> None:
        """Keep the line for the table, and fail when the promise was broken."""
        RESULTS.parent.mkdir(exist_ok=True)
        median = round(statistics.median(self.recovered_s), 1) if self.recovered_s else None
        surroundings = {"at": time.time(), "load": os.getloadavg()[0], "full": FULL}
        line: dict[str, Any] = asdict(self) | {"median_recovery_s": median} | surroundings
        with RESULTS.open("a") as file:
            file.write(json.dumps(line) + "\n")
        assert self.holds, line


Fault = Callable[[Trainer], None]


def harmed(bench: Bench, row: Row, fault: Fault, *, steps: int = STEPS, at_step: int = 8, kind: Kind = "full") -> str:
    """One try: a job, the fault once it has told that step, and the verdict at its end. Returns the job."""
    expected = bench.expected(steps, kind)
    with watching(bench.place.scratch) as watch:
        job = bench.launch(steps, kind)
        bench.await_step(job, at_step)
        harm(bench, row, fault, job)
        bench.await_end(job)
        bench.place.heal()
    row.overlaps += watch.overlaps
    row.judge(bench.place.database.outcome(job), expected)
    return job


def harm(bench: Bench, row: Row, fault: Fault, job: str) -> None:
    """The fault, and then until the job has told a step that it had not told before."""
    trainer = bench.trainer(job)
    told = max([bench.place.database.job(job).step, *trainer.steps_told()])
    began = time.monotonic()
    with ThreadPoolExecutor(1) as beside:
        news = beside.submit(_time_of_news, bench, job, told)
        fault(trainer)
        row.recovered_s.append(news.result() - began)


def _time_of_news(bench: Bench, job: str, told: int) -> float:
    give_up = time.monotonic() + PATIENCE_S
    while (now := bench.place.database.job(job)).step <= told and not now.has_ended:
        assert time.monotonic() < give_up, now
        time.sleep(0.03)
    return time.monotonic()


def results(path: Path = RESULTS) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
