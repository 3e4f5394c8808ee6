"""Methods that learn from rows, through Whetstone's training process against bare TRL with the same settings.

    python -m benchmarks.rows [--pairs 3] [--steps 40] [--methods full dpo kto reward_model]

Prints seconds a step of each side, of the clock and of the processor, and the medians of the pairs' ratios. Both sides
start from the same weights and run one after the other, in turn first, each in a process of its own under the same OMP
settings; what passes between the logs of the second and the last step counts. On a machine with other work the clock
says more about that work: look at the processor's time there.
"""

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from trainer_worker.launching import LAUNCHER_ENVIRONMENT

SIDES = ("whetstone", "bare")
METHODS = ("full", "dpo", "kto", "reward_model")
ROWS, BATCH, RATE = 1024, 32, 1e-4


def main(arguments: Sequence[str] = ()) -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--pairs", type=int, default=3)
    asked.add_argument("--steps", type=int, default=40)
    asked.add_argument("--methods", nargs="+", choices=METHODS, default=METHODS)
    asked.add_argument("--side", choices=SIDES, help=argparse.SUPPRESS)
    asked.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    given = asked.parse_args(arguments)
    if given.side:
        {"whetstone": run_whetstone, "bare": run_bare}[given.side](given.folder, given.methods[0], given.steps)
        return
    for method in given.methods:
        compare(method, given.pairs, given.steps)


def compare(method: str, pairs: int, steps: int) -> None:
    ratios = []
    for pair in range(pairs):
        order = SIDES if pair % 2 == 0 else SIDES[::-1]
        took = {side: seconds_a_step(side, method, steps) for side in order}
        ratios.append([ours / theirs for ours, theirs in zip(took["whetstone"], took["bare"], strict=True)])
        said = "  ".join(f"{side}: {took[side][0]:.3f} s, CPU {took[side][1]:.3f} s" for side in SIDES)
        print(f"{method:<13}{said}  ratios {ratios[-1][0]:.2f}, {ratios[-1][1]:.2f}", flush=True)
    clock, processor = (statistics.median(column) for column in zip(*ratios, strict=True))
    print(f"{method:<13}whetstone / bare TRL, median of {pairs} pairs: {clock:.2f}, CPU {processor:.2f}", flush=True)


def seconds_a_step(side: str, method: str, steps: int) -> tuple[float, float]:
    """Of the clock, and of the processor."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "benchmarks.rows", "--side", side, "--steps", str(steps), "--folder", folder]
        with (Path(folder) / "printed").open("wb") as printed:
            process = subprocess.Popen(
                [*command, "--methods", method], stdout=printed, stderr=printed, env=os.environ | LAUNCHER_ENVIRONMENT
            )
        try:
            arrived = list(_log_times(Path(folder) / "spool.jsonl", process))
        finally:
            process.kill()
            process.wait()
        if len(arrived) < steps:
            raise SystemExit((Path(folder) / "printed").read_text()[-3000:])
        clock, processor = (last - second for second, last in zip(arrived[1], arrived[-1], strict=True))
        return clock / (steps - 2), processor / (steps - 2)


def _log_times(spool: Path, process: subprocess.Popen[bytes]) -> Iterator[tuple[float, float]]:
    """The time, and the processor's time that was spent, when each line about a step was written."""
    from trainer_worker.spool import Tail

    tail = Tail(spool)
    while process.poll() is None:
        for line in tail.lines():
            if b'"metrics"' in line:
                yield time.perf_counter(), _processor_s(process.pid)
        time.sleep(0.002)


def _processor_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def some_rows(method: str) -> list[dict[str, Any]]:
    """Sums worked out with and without the carry, in the shape that the method needs."""
    from whetstone.starter import data

    if method == "full":
        return [{"messages": row["messages"]} for row in data.demonstrations(ROWS)]
    pairs = [_pair(row["messages"][0]["content"]) for row in islice(data.problems("train"), ROWS)]
    if method != "kto":
        return pairs
    rows = [
        {"prompt": pair["prompt"], "completion": pair[kind], "label": kind == "chosen"}
        for pair in pairs[: ROWS // 2]
        for kind in ("chosen", "rejected")
    ]
    random.Random(1).shuffle(rows)
    return rows


def _pair(question: str) -> dict[str, Any]:
    from whetstone.starter import data

    a, b = map(int, question.split("+"))
    wrong = data.worked_out(a, b + 1, carries=True)
    return {"prompt": question, "chosen": data.worked_out(a, b, carries=True), "rejected": wrong}


def run_whetstone(folder: Path, method: str, steps: int) -> None:
    from trainer_worker.attempt import carry_out, prepare_process
    from trainer_worker.orders import Orders, write_orders

    assignment = _assignment(folder, method, steps)
    write_orders(assignment.orders, Orders(order="go_on", lease_until=time.monotonic() + 3600))
    prepare_process(assignment)
    sys.exit(carry_out(assignment))


def _assignment(folder: Path, method: str, steps: int) -> Any:  # Any: nothing of the worker loads before it is needed
    from pydantic import TypeAdapter

    from contracts.dataset import guess_mapping
    from contracts.job import DatasetRef, FileRef, JobSpec, ModelRef
    from contracts.method import CanonicalMethod
    from contracts.resolve import Facts, resolve, total_steps
    from trainer_worker.assignment import Assignment
    from trainer_worker.machine import usable_cores
    from whetstone.starter import model

    rows = some_rows(method)
    file = folder / "rows.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    pace = {"max_steps": steps, "n_epochs": 50, "batch_size": BATCH, "learning_rate": RATE}
    pace |= {"checkpoint_interval": 10_000, "eval_interval": 10_000}
    adapter: TypeAdapter[CanonicalMethod] = TypeAdapter(CanonicalMethod)
    asked = adapter.validate_python({"type": method, method: {"hyperparameters": pace}})
    resolved = resolve(asked, Facts(rows=len(rows), parameters=model.parameters(), desirable=len(rows) // 2))
    nowhere = FileRef(path=file.name, sha256="0" * 64, size=0)
    spec = JobSpec(
        job="ftjob-bench",
        model=ModelRef(name="starter", files=(), parameters=model.parameters()),
        training=DatasetRef(id="file-bench", file=nowhere, mapping=guess_mapping(tuple(rows[0])), rows=len(rows)),
        validation=None,
        method=resolved,
        grader=None,
        evaluator=None,
        total_steps=total_steps(resolved, len(rows)),
        seed=1,
    )
    return Assignment(
        spec=spec,
        attempt=1,
        worker="bench",
        folder=folder,
        model=_weights(folder),
        training=file,
        validation=None,
        resume=None,
        trained_tokens=0,
        threads=usable_cores(),
    )


def _weights(folder: Path) -> Path:
    """The starter model with weights drawn from a seed: the same on both sides."""
    from trainer_worker.models import load_model
    from whetstone.starter import model

    model.build(folder / "blank")
    load_model(folder / "blank", seed=1, drawn=folder / "base")
    return folder / "base"


def run_bare(folder: Path, method: str, steps: int) -> None:
    """What somebody who knows TRL would write."""
    import torch
    from datasets import Dataset
    from transformers import AutoTokenizer, TrainerCallback
    from trl import DPOConfig, DPOTrainer, KTOConfig, KTOTrainer, RewardConfig, RewardTrainer, SFTConfig, SFTTrainer

    class Lines(TrainerCallback):  # type: ignore[misc]  # transformers is read as untyped
        def on_log(self, args: object, state: object, control: object, logs: dict[str, float], **_: object) -> None:
            with (folder / "spool.jsonl").open("a") as file:
                file.write(json.dumps({"type": "metrics" if "loss" in logs else "end"}) + "\n")

    torch.set_num_threads(len(os.sched_getaffinity(0)))
    own: dict[str, tuple[Any, Any, dict[str, Any]]] = {
        "full": (SFTTrainer, SFTConfig, {"assistant_only_loss": True}),
        "dpo": (DPOTrainer, DPOConfig, {"beta": 0.3, "loss_type": ["sigmoid", "sft"], "loss_weights": [1.0, 1.0]}),
        "kto": (KTOTrainer, KTOConfig, {"beta": 0.5}),
        "reward_model": (RewardTrainer, RewardConfig, {}),
    }
    trainer, config, more = own[method]
    base = _weights(folder)
    arguments = config(
        output_dir=str(folder / "out"),
        max_steps=steps,
        per_device_train_batch_size=BATCH,
        learning_rate=RATE,
        max_length=None,
        bf16=torch.cuda.is_available(),
        gradient_checkpointing=False,
        use_cpu=not torch.cuda.is_available(),
        dataloader_pin_memory=torch.cuda.is_available(),
        logging_steps=1,
        save_strategy="no",
        report_to=[],
        disable_tqdm=True,
        seed=1,
        **more,
    )
    trainer(
        model=str(base),
        args=arguments,
        train_dataset=Dataset.from_list([_conversational(row) for row in some_rows(method)]),
        processing_class=AutoTokenizer.from_pretrained(base),
        callbacks=[Lines()],
    ).train()


def _conversational(row: dict[str, Any]) -> dict[str, Any]:
    """As TRL wants it."""
    roles = {"prompt": "user", "chosen": "assistant", "rejected": "assistant", "completion": "assistant"}
    return {name: [{"role": roles[name], "content": v}] if name in roles else v for name, v in row.items()}


if __name__ == "__main__":
    main(sys.argv[1:])
