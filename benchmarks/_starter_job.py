"""A GRPO job on the starter model, for measuring: 8 prompts, 8 completions each, 64 in a step."""

import json
from itertools import islice
from pathlib import Path

from contracts.dataset import guess_mapping
from contracts.job import DatasetRef, FileRef, JobSpec, ModelRef
from contracts.method import Grpo, GrpoHyperparameters, GrpoMethod
from contracts.resolve import Facts, resolve, total_steps
from graders import parse
from whetstone.starter import data, model

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


def spec(steps: int, model_files: tuple[FileRef, ...], prompts: FileRef, job: str = "ftjob-bench") -> JobSpec:
    h = GrpoHyperparameters(
        max_steps=steps,
        batch_size=PROMPTS_A_STEP,
        num_generations=GROUP,
        max_completion_length=LONGEST,
        learning_rate=RATE,
        checkpoint_interval=1000,
        eval_interval=1000,
    )
    method = resolve(GrpoMethod(grpo=Grpo(hyperparameters=h)), Facts(rows=ROWS, parameters=model.parameters()))
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
