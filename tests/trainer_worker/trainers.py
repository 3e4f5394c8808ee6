"""A trainer of the tiny model in this process, to look into."""

import time
from collections.abc import Mapping
from itertools import islice
from pathlib import Path
from typing import Any

from contracts.dataset import guess_mapping
from contracts.job import DatasetRef, FileRef, JobSpec, ModelRef
from contracts.method import CanonicalMethod, GrpoMethod, LoraAdapter, PpoMethod
from contracts.resolve import Facts, resolve, total_steps
from graders import parse
from graders.schema import Grader
from tests.trainer_worker.jobs import DIGITS, PARAMETERS, grpo, jsonl, ppo
from trainer_worker.assignment import Assignment
from trainer_worker.methods import base
from trainer_worker.methods import ppo as ppo_method
from trainer_worker.methods.grpo import build
from trainer_worker.orders import Orders, write_orders
from trainer_worker.spool import SpoolWriter
from whetstone.starter import data

ROWS = 40


def assignment_of(
    method: CanonicalMethod, model: Path, folder: Path, grader: Grader | None = None, parameters: int = PARAMETERS
) -> Assignment:
    """As the worker writes it, with every file in place."""
    resolved = resolve(method, Facts(rows=ROWS, parameters=parameters))
    is_sampling = method.is_reinforcement
    rows: list[Mapping[str, Any]] = list(
        islice(data.problems("train") if is_sampling else data.demonstrations(ROWS), ROWS)
    )
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "rows.jsonl").write_bytes(jsonl(rows))
    nowhere = FileRef(path="rows.jsonl", sha256="0" * 64, size=0)
    spec = JobSpec(
        job="ftjob-1",
        model=ModelRef(name="tiny", files=(), parameters=parameters),
        training=DatasetRef(id="file-1", file=nowhere, mapping=guess_mapping(tuple(rows[0])), rows=ROWS),
        validation=None,
        method=resolved,
        grader=grader or (parse(DIGITS) if is_sampling else None),
        evaluator=None,
        total_steps=total_steps(resolved, ROWS),
        seed=7,
    )
    assignment = Assignment(
        spec=spec,
        attempt=1,
        worker="worker",
        folder=folder,
        model=model,
        training=folder / "rows.jsonl",
        validation=None,
        resume=None,
        trained_tokens=0,
        threads=1,
    )
    write_orders(assignment.orders, Orders(order="go_on", lease_until=time.monotonic() + 3600))
    return assignment


def grpo_trainer(
    model: Path, folder: Path, *, rank: int | None = None, grader: Grader | None = None, **hyperparameters: Any
) -> Any:  # Any: TRL's trainers have no types
    """GRPO's trainer, ready for its first batch. `rank`: of an adapter, if there is to be one."""
    method = grpo(**hyperparameters)
    if rank is not None:
        method = GrpoMethod(grpo=method.grpo.model_copy(update={"lora": LoraAdapter(rank=rank)}))
    assignment = assignment_of(method, model, folder, grader)
    resolved = assignment.spec.method
    assert isinstance(resolved, GrpoMethod)
    return build(base.load(assignment, SpoolWriter(assignment.spool)), resolved)[0]


def ppo_trainer(
    model: Path, folder: Path, *, rank: int | None = None, grader: Grader | None = None, **hyperparameters: Any
) -> Any:  # Any: TRL's trainers have no types
    """PPO's trainer, ready for its first batch. `rank`: of an adapter, if there is to be one."""
    assignment = assignment_of(ppo(rank=rank, **hyperparameters), model, folder, grader)
    resolved = assignment.spec.method
    assert isinstance(resolved, PpoMethod)
    return ppo_method.build(base.load(assignment, SpoolWriter(assignment.spool)), resolved)[0]


def one_batch(trainer: Any) -> dict[str, Any]:
    """The first batch of completions, sampled and scored, as the trainer learns from it."""
    trainer.model.train()
    rows = next(iter(trainer.get_train_dataloader()))
    batch: dict[str, Any] = trainer._generate_and_score_completions(rows)
    return batch
