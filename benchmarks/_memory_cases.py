"""Trainings of every method on models of three sizes, for measuring what they hold: rows, settings, assignments."""

import json
import time
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from pydantic import TypeAdapter

from contracts.dataset import guess_mapping
from contracts.job import DatasetRef, FileRef, JobSpec, ModelRef
from contracts.method import CanonicalMethod
from contracts.resolve import Facts, resolve, total_steps
from graders import parse
from whetstone.starter import data, model

if TYPE_CHECKING:
    from trainer_worker.assignment import Assignment

ROWS = 64
METHOD: TypeAdapter[CanonicalMethod] = TypeAdapter(CanonicalMethod)
GRADER = {"type": "regex", "name": "digits", "pattern": r"[0-9]"}
ADAPTER = {"rank": 16}
SAMPLES = ("grpo", "rloo", "ppo")
QWEN3: dict[str, Any] = {
    "architectures": ["Qwen3ForCausalLM"],
    "model_type": "qwen3",
    "head_dim": 64,
    "num_key_value_heads": 4,
    "num_attention_heads": 8,
}
SIZES: dict[str, dict[str, Any]] = {
    "nothing": {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 1, "num_attention_heads": 2},
    "starter": {},
    "30M": QWEN3 | {"vocab_size": 16_384, "hidden_size": 512, "intermediate_size": 1408, "num_hidden_layers": 8},
}
"""What differs from the starter model's config: next to nothing, itself, and Qwen3 with a vocabulary of its own."""


class Size(NamedTuple):
    """How large the trainings of a model are. `words`: sums in a row."""

    sums: int
    row_batch: int
    prompts: int
    group: int
    longest: int


WORK = {"nothing": Size(1, 2, 2, 2, 4), "starter": Size(8, 32, 8, 8, 96), "30M": Size(8, 8, 2, 4, 128)}


class Case(NamedTuple):
    method: str
    lora: bool = False
    checkpointing: bool = False
    extra: tuple[tuple[str, Any], ...] = ()

    @property
    def label(self) -> str:
        more = ["adapter"] * self.lora + ["checkpointing"] * self.checkpointing
        more += [f"{name} {value}" for name, value in self.extra]
        return ", ".join([self.method, *more])


CASES = (
    Case("full"),
    Case("full", checkpointing=True),
    Case("lora"),
    Case("lora", checkpointing=True),
    Case("dpo"),
    Case("dpo", checkpointing=True),
    Case("dpo", lora=True),
    Case("kto"),
    Case("kto", checkpointing=True),
    Case("kto", lora=True),
    Case("reward_model"),
    Case("reward_model", checkpointing=True),
    Case("reward_model", lora=True),
    Case("grpo"),
    Case("grpo", checkpointing=True),
    Case("grpo", lora=True),
    Case("grpo", extra=(("beta", 0.04),)),
    Case("grpo", extra=(("micro_batch_size", 2),)),
    Case("rloo"),
    Case("rloo", lora=True),
    Case("rloo", extra=(("beta", 0.05),)),
    Case("ppo"),
    Case("ppo", checkpointing=True),
    Case("ppo", lora=True),
    Case("ppo", extra=(("beta", 0.05),)),
)


def method_of(case: Case, size: Size) -> CanonicalMethod:
    samples = case.method in SAMPLES
    h: dict[str, Any] = {
        "max_steps": 2,
        "n_epochs": 50,
        "batch_size": size.prompts if samples else size.row_batch,
        "micro_batch_size": size.prompts * size.group if samples else size.row_batch,
        "checkpoint_interval": 1000,
        "eval_interval": 1000,
        "gradient_checkpointing": case.checkpointing,
    }
    h |= {"num_generations": size.group, "max_completion_length": size.longest} if samples else {}
    h |= {"critic_warmup_steps": 0, "num_minibatches": 1} if case.method == "ppo" else {}
    block: dict[str, Any] = {"hyperparameters": h | dict(case.extra)}
    if case.lora or case.method == "lora":
        block["lora"] = ADAPTER
    return METHOD.validate_python({"type": case.method, case.method: block})


def write_model(folder: Path, name: str) -> int:
    """A model without weights, which the training draws. Returns how many parameters it will have."""
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    model.build(folder)
    config = {**model.CONFIG, **SIZES[name]}
    config.setdefault("num_key_value_heads", 4)
    config["num_key_value_heads"] = min(
        int(str(config["num_key_value_heads"])), int(str(config["num_attention_heads"]))
    )
    (folder / "config.json").write_text(json.dumps(config))
    with torch.device("meta"):
        return int(AutoModelForCausalLM.from_config(AutoConfig.from_pretrained(folder)).num_parameters())


def rows_of(method: str, sums: int) -> Iterator[Mapping[str, Any]]:
    """Rows of like length: so many sums one after the other in each."""
    problems = [row["messages"][0]["content"] for row in islice(data.problems("train"), ROWS + sums)]
    for first in range(ROWS):
        some = [tuple(map(int, text.split("+"))) for text in problems[first : first + sums]]
        asked = " ".join(f"{a}+{b}" for a, b in some)
        good, bad = (" ".join(data.worked_out(a, b + n, carries=True) for a, b in some) for n in (0, 1))
        yield from _shaped(method, asked, good, bad, is_good=first % 2 == 0)


def _shaped(method: str, asked: str, good: str, bad: str, *, is_good: bool) -> Iterator[Mapping[str, Any]]:
    question = {"role": "user", "content": asked}
    if method in SAMPLES:
        yield {"messages": [question]}
    elif method in ("full", "lora"):
        yield {"messages": [question, {"role": "assistant", "content": good}]}
    elif method == "kto":
        yield {"prompt": asked, "completion": good if is_good else bad, "label": is_good}
    else:
        yield {"prompt": asked, "chosen": good, "rejected": bad}


def assignment(scratch: Path, base: Path, parameters: int, name: str, case: Case, job: str) -> "Assignment":
    """What a training process is handed, written down, with an hour's leave to run."""
    from trainer_worker.assignment import Assignment
    from trainer_worker.machine import usable_cores
    from trainer_worker.orders import Orders, write_orders

    rows = list(rows_of(case.method, WORK[name].sums))
    method = resolve(method_of(case, WORK[name]), Facts(rows=ROWS, parameters=parameters, desirable=ROWS // 2))
    folder = scratch / "jobs" / job / "1"
    folder.mkdir(parents=True)
    file = folder / "rows.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    spec = JobSpec(
        job=job,
        model=ModelRef(name=name, files=(), parameters=parameters),
        training=DatasetRef(
            id="file-bench",
            file=FileRef(path=file.name, sha256="0" * 64, size=0),
            mapping=guess_mapping(tuple(rows[0])),
            rows=ROWS,
        ),
        validation=None,
        method=method,
        grader=parse(GRADER) if case.method in SAMPLES else None,
        evaluator=None,
        total_steps=total_steps(method, ROWS),
        seed=1,
    )
    made = Assignment(
        spec=spec,
        attempt=1,
        worker="benchmark",
        folder=folder,
        model=base,
        training=file,
        validation=None,
        resume=None,
        trained_tokens=0,
        threads=usable_cores(),
    )
    write_orders(made.orders, Orders(order="go_on", lease_until=time.monotonic() + 3600))
    made.write()
    return made
