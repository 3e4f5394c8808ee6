"""Factories of small, real jobs: a model of one layer, a few rows, few steps."""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from contracts.dataset import guess_mapping
from contracts.job import DatasetRef, JobSpec, ModelRef
from contracts.method import (
    Full,
    FullMethod,
    Grpo,
    GrpoHyperparameters,
    GrpoMethod,
    Lora,
    LoraAdapter,
    LoraMethod,
    Method,
    SupervisedHyperparameters,
    canonical,
)
from contracts.resolve import Facts, resolve, total_steps
from graders import parse
from graders.schema import Grader
from tests.trainer_worker.other_side import OtherSide
from whetstone.starter import data, model

TINY = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 1, "num_attention_heads": 2}
PARAMETERS = 20_000
# Gives part of the points for any digit at all, so that even a newborn model sees some variance.
DIGITS = {"type": "regex", "name": "digits", "pattern": r"[0-9]"}


def tiny_model(folder: Path) -> Path:
    model.build(folder)
    config = {**model.CONFIG, **TINY, "num_key_value_heads": 2}
    (folder / "config.json").write_text(json.dumps(config))
    return folder


def jsonl(rows: Iterable[Mapping[str, Any]]) -> bytes:
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


def grpo(**changes: Any) -> GrpoMethod:
    given = {"max_steps": 3, "batch_size": 2, "num_generations": 4, "max_completion_length": 8, "n_epochs": 1}
    return GrpoMethod(grpo=Grpo(hyperparameters=GrpoHyperparameters(**(given | changes))))


def full(**changes: Any) -> FullMethod:
    return FullMethod(full=Full(hyperparameters=SupervisedHyperparameters(**({"max_steps": 3} | changes))))


def lora(**changes: Any) -> LoraMethod:
    h = SupervisedHyperparameters(**({"max_steps": 3} | changes))
    return LoraMethod(lora=Lora(hyperparameters=h, lora=LoraAdapter(rank=4)))


def make_spec(
    side: OtherSide,
    model_folder: Path,
    method: Method | None = None,
    *,
    job: str = "ftjob-1",
    rows: Sequence[Mapping[str, Any]] | None = None,
    held_out: Sequence[Mapping[str, Any]] | None = None,
    grader: Grader | None = None,
    scorers: Mapping[str, Path] | None = None,
    seed: int = 7,
) -> JobSpec:
    method = canonical(method or grpo())
    if rows is None:
        problems = list(data.problems("train"))[:40]
        rows = problems if method.type == "grpo" else list(data.demonstrations(40))
    resolved = resolve(method, Facts(rows=len(rows), parameters=PARAMETERS))
    return JobSpec(
        job=job,
        model=ModelRef(name="tiny", files=side.store_folder(model_folder), parameters=PARAMETERS),
        training=dataset(side, rows),
        validation=dataset(side, held_out) if held_out else None,
        method=resolved,
        grader=grader or (parse(DIGITS) if method.type == "grpo" else None),
        evaluator=None,
        scorers=tuple(
            ModelRef(name=name, files=side.store_folder(folder), parameters=PARAMETERS)
            for name, folder in (scorers or {}).items()
        ),
        total_steps=total_steps(resolved, len(rows)),
        seed=seed,
    )


def dataset(side: OtherSide, rows: Sequence[Mapping[str, Any]]) -> DatasetRef:
    return DatasetRef(
        id="file-1", file=side.store(jsonl(rows), "rows.jsonl"), mapping=guess_mapping(tuple(rows[0])), rows=len(rows)
    )
