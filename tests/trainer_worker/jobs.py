"""Factories of small, real jobs: a model of one layer, a few rows, few steps."""

import itertools
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from contracts.dataset import guess_mapping
from contracts.job import DatasetRef, JobSpec, ModelRef
from contracts.method import (
    CanonicalMethod,
    Dpo,
    DpoHyperparameters,
    DpoMethod,
    Full,
    FullMethod,
    Grpo,
    GrpoHyperparameters,
    GrpoMethod,
    Hyperparameters,
    Kto,
    KtoHyperparameters,
    KtoMethod,
    Lora,
    LoraAdapter,
    LoraMethod,
    Method,
    Ppo,
    PpoHyperparameters,
    PpoMethod,
    RewardModel,
    RewardModelHyperparameters,
    RewardModelMethod,
    Rloo,
    RlooHyperparameters,
    RlooMethod,
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


def rloo(*, rank: int | None = None, **changes: Any) -> RlooMethod:
    given = {"max_steps": 3, "batch_size": 2, "num_generations": 4, "max_completion_length": 8, "n_epochs": 1}
    h = RlooHyperparameters(**(given | changes))
    return RlooMethod(rloo=Rloo(hyperparameters=h, lora=LoraAdapter(rank=rank) if rank else None))


def ppo(*, rank: int | None = None, **changes: Any) -> PpoMethod:
    """Two updates a batch of eight completions. `rank`: of an adapter, if there is to be one."""
    given = {"max_steps": 4, "batch_size": 8, "num_minibatches": 2, "max_completion_length": 8, "n_epochs": 1}
    h = PpoHyperparameters(**(given | {"critic_warmup_steps": 0} | changes))
    return PpoMethod(ppo=Ppo(hyperparameters=h, lora=LoraAdapter(rank=rank) if rank else None))


def full(**changes: Any) -> FullMethod:
    return FullMethod(full=Full(hyperparameters=SupervisedHyperparameters(**({"max_steps": 3} | changes))))


def lora(**changes: Any) -> LoraMethod:
    h = SupervisedHyperparameters(**({"max_steps": 3} | changes))
    return LoraMethod(lora=Lora(hyperparameters=h, lora=LoraAdapter(rank=4)))


def dpo(**changes: Any) -> DpoMethod:
    return DpoMethod(dpo=Dpo(**_block(DpoHyperparameters, changes)))


def kto(**changes: Any) -> KtoMethod:
    return KtoMethod(kto=Kto(**_block(KtoHyperparameters, changes)))


def reward_model(**changes: Any) -> RewardModelMethod:
    return RewardModelMethod(reward_model=RewardModel(**_block(RewardModelHyperparameters, changes)))


def _block(hyperparameters: type[Hyperparameters], changes: dict[str, Any]) -> dict[str, Any]:
    given = {"max_steps": 3, "batch_size": 8} | changes
    adapter = given.pop("lora", None)
    return {"hyperparameters": hyperparameters(**given), "lora": adapter}


def pairs(count: int, seed: int = 0) -> list[dict[str, Any]]:
    """Sums worked out with and without the carry, of those problems that have one."""
    found = []
    for row in data.problems("train", seed):
        a, b = map(int, row["messages"][0]["content"].split("+"))
        chosen, rejected = (data.worked_out(a, b, carries=carries) for carries in (True, False))
        if chosen != rejected:
            found.append({"prompt": f"{a}+{b}", "chosen": chosen, "rejected": rejected, "answer": str(a + b)})
    return found[:count]


def labelled(count: int, seed: int = 0) -> list[dict[str, Any]]:
    """Good answers, and then the bad ones, as files of this kind often are."""
    return [
        {"prompt": row["prompt"], "completion": row[kind], "label": kind == "chosen", "answer": row["answer"]}
        for kind in ("chosen", "rejected")
        for row in pairs(count // 2, seed)
    ]


def some_rows(method: CanonicalMethod) -> list[dict[str, Any]]:
    """Forty rows of the shape that the method needs."""
    makers: dict[str, Callable[[int], Iterable[dict[str, Any]]]] = {
        "chat": data.demonstrations,
        "prompt": lambda count: itertools.islice(data.problems("train"), count),
        "preference": pairs,
        "labelled": labelled,
    }
    return list(makers[method.shape](40))


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
    rows = some_rows(method) if rows is None else rows
    resolved = resolve(method, Facts(rows=len(rows), parameters=PARAMETERS))
    return JobSpec(
        job=job,
        model=ModelRef(name="tiny", files=side.store_folder(model_folder), parameters=PARAMETERS),
        training=dataset(side, rows),
        validation=dataset(side, held_out) if held_out else None,
        method=resolved,
        grader=grader or (parse(DIGITS) if method.is_reinforcement else None),
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
