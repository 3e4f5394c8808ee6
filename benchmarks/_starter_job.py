"""A job on the starter model, for measuring: 8 prompts, 8 completions each, 64 in a step. GRPO if nothing is said."""

import json
import time
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from contracts.dataset import guess_mapping
from contracts.job import DatasetRef, FileRef, JobSpec, ModelRef
from contracts.method import CanonicalMethod, Grpo, GrpoHyperparameters, GrpoMethod
from contracts.resolve import Facts, resolve, total_steps
from graders import parse
from whetstone.starter import data, model

if TYPE_CHECKING:
    from trainer_worker.assignment import Assignment

GRADER = {"type": "regex", "name": "sum", "pattern": r"#(\d+)", "reference": "{{ item.answer }}"}
ROWS = 512
PROMPTS_A_STEP, GROUP, LONGEST, RATE = 8, 8, 32, 1e-4


def write_files(folder: Path) -> tuple[Path, Path]:
    """The starter model's folder, and a file of prompts."""
    prompts = folder / "prompts.jsonl"
    base = folder / "base"
    model.build(base)
    prompts.write_text("".join(json.dumps(row) + "\n" for row in islice(data.problems("train"), ROWS)))
    return base, prompts


def settings(steps: int) -> dict[str, Any]:
    """What all methods that sample take."""
    return {
        "max_steps": steps,
        "n_epochs": 50,
        "batch_size": PROMPTS_A_STEP,
        "num_generations": GROUP,
        "max_completion_length": LONGEST,
        "learning_rate": RATE,
        "checkpoint_interval": 1000,
        "eval_interval": 1000,
    }


def spec(
    steps: int,
    model_files: tuple[FileRef, ...],
    prompts: FileRef,
    job: str = "ftjob-bench",
    method: CanonicalMethod | None = None,
) -> JobSpec:
    method = method or GrpoMethod(grpo=Grpo(hyperparameters=GrpoHyperparameters(**settings(steps))))
    method = resolve(method, Facts(rows=ROWS, parameters=model.parameters()))
    return JobSpec(
        job=job,
        model=ModelRef(name="starter", files=model_files, parameters=model.parameters()),
        training=DatasetRef(id="file-bench", file=prompts, mapping=guess_mapping(("messages",)), rows=ROWS),
        validation=None,
        method=method,
        grader=parse(GRADER),
        evaluator=None,
        total_steps=total_steps(method, ROWS),
        seed=1,
    )


def assignment(
    folder: Path, base: Path, prompts: Path, steps: int, method: CanonicalMethod | None = None
) -> "Assignment":
    """What a training process is handed, with an hour's leave to run."""
    from trainer_worker.assignment import Assignment
    from trainer_worker.machine import usable_cores
    from trainer_worker.orders import Orders, write_orders

    nowhere = FileRef(path="rows.jsonl", sha256="0" * 64, size=0)
    made = Assignment(
        spec=spec(steps, (), nowhere, method=method),
        attempt=1,
        worker="benchmark",
        folder=folder,
        model=base,
        training=prompts,
        validation=None,
        resume=None,
        trained_tokens=0,
        threads=usable_cores(),
    )
    write_orders(made.orders, Orders(order="go_on", lease_until=time.monotonic() + 3600))
    return made
