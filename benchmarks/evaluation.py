"""An evaluation as a worker carries it out, against transformers' `generate` on the same prompts in the same batches.

    python -m benchmarks.evaluation [--pairs 5] [--rows 1000] [--longest 32] [--batch 256] [--model FOLDER]

Both read the same model and rows, begin with an imported torch, and run in a process of their own, in turn first. Ours
answers, grades, and writes scores, receipts and answers; the bare side only answers. Prints seconds of the clock and of
the processor from the first thing read to the last answer, seconds of the clock for the answers alone (prompts to
tokens, model, tokens to text), and the medians of the pairs' ratios. Without a folder: the
starter model with random weights, whose answers nearly all go on to the longest.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trainer_worker.launching import LAUNCHER_ENVIRONMENT
from whetstone.starter import data, model

if TYPE_CHECKING:
    from trainer_worker.assignment import EvaluationWork

SIDES = ("whetstone", "generate")
GRADER = {"type": "regex", "name": "sum", "pattern": r"#(\d+)", "reference": "{{ item.answer }}"}
TARGET_S = 30.0


def main(arguments: Sequence[str] = ()) -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--pairs", type=int, default=5)
    asked.add_argument("--rows", type=int, default=1000)
    asked.add_argument("--longest", type=int, default=32)
    asked.add_argument("--batch", type=int, default=256)
    asked.add_argument("--model", type=Path)
    asked.add_argument("--side", choices=SIDES, help=argparse.SUPPRESS)
    asked.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    given = asked.parse_args(arguments)
    if given.side:
        return {"whetstone": run_whetstone, "generate": run_generate}[given.side](given)
    ratios, ours = [], []
    for pair in range(given.pairs):
        took = {side: _seconds(side, given) for side in (SIDES if pair % 2 == 0 else SIDES[::-1])}
        ratios.append([one / other for one, other in zip(took["whetstone"], took["generate"], strict=True)])
        ours.append(took["whetstone"][0])
        said = "  ".join("{}: {:.2f} s, CPU {:.2f} s, answers {:.2f} s".format(side, *took[side]) for side in SIDES)
        print(said, " ratios", ", ".join(f"{ratio:.2f}" for ratio in ratios[-1]), flush=True)
    clock, processor, answers = (statistics.median(column) for column in zip(*ratios, strict=True))
    print(
        f"evaluation / generate, median of {given.pairs} pairs: {clock:.2f}, CPU {processor:.2f}, answers {answers:.2f}"
    )
    print(f"{given.rows} rows in {statistics.median(ours):.1f} s (wanted: under {TARGET_S:g} s)")
    return None


def _seconds(side: str, given: argparse.Namespace) -> tuple[float, float, float]:
    """Of the clock, of the processor, and of the clock while answers are written."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "benchmarks.evaluation", "--side", side, "--folder", folder]
        for name in ("rows", "longest", "batch", "model"):
            command += [f"--{name}", str(getattr(given, name))] if getattr(given, name) else []
        done = subprocess.run(command, env=os.environ | LAUNCHER_ENVIRONMENT, capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(done.stderr[-3000:])
        clock, processor, answers = map(float, done.stdout.splitlines()[-1].split())
        return clock, processor, answers


def run_whetstone(given: argparse.Namespace) -> None:
    from trainer_worker.evaluation import evaluate
    from trainer_worker.sampler import Sampler
    from trainer_worker.spool import SpoolWriter

    work, answer, answers_s = _work(given), Sampler.answer, 0.0

    def timed(sampler: Sampler, *args: Any, **how: Any) -> Any:
        nonlocal answers_s
        before = time.monotonic()
        try:
            return answer(sampler, *args, **how)
        finally:
            answers_s += time.monotonic() - before

    Sampler.answer = timed  # type: ignore[method-assign, assignment]
    _start()
    began = _now()
    evaluate(work, SpoolWriter(work.spool))
    _tell(began, answers_s)


def run_generate(given: argparse.Namespace) -> None:
    from contracts.dataset import guess_mapping
    from trainer_worker.data import read_rows, turns_of
    from trainer_worker.pretrained import load_tokenizer, render

    work = _work(given)
    _start()
    from transformers import AutoModelForCausalLM

    began, answers_s = _now(), 0.0
    tokenizer = load_tokenizer(work.model)
    bare: Any = AutoModelForCausalLM.from_pretrained(work.model)
    rows = read_rows(work.rows, guess_mapping(("messages",)))
    texts = sorted((render(tokenizer, turns_of(row), to_be_answered=True) for row in rows), key=len)
    for first in range(0, len(texts), given.batch):
        before = time.monotonic()
        batch = tokenizer(
            texts[first : first + given.batch], return_tensors="pt", padding=True, add_special_tokens=False
        )
        answered = bare.generate(**batch, max_new_tokens=given.longest, do_sample=False)
        tokenizer.batch_decode(answered[:, batch["input_ids"].shape[1] :], skip_special_tokens=True)
        answers_s += time.monotonic() - before
    _tell(began, answers_s)


def _work(given: argparse.Namespace) -> "EvaluationWork":
    """Rows, and a model with weights: drawn here where none are given, so that neither side has to."""
    from contracts.dataset import guess_mapping
    from contracts.evaluation import EvaluationSettings, EvaluationSpec, resolve
    from contracts.job import DatasetRef, FileRef, ModelRef
    from graders import parse
    from trainer_worker.assignment import EvaluationWork
    from trainer_worker.machine import usable_cores
    from trainer_worker.models import load_model
    from trainer_worker.orders import Orders, write_orders

    folder = given.folder / "scratch" / "jobs" / "eval-bench" / "1"
    folder.mkdir(parents=True)
    (folder / "rows.jsonl").write_text(
        "".join(json.dumps(row) + "\n" for row in islice(data.problems("train"), given.rows))
    )
    if given.model is None:
        model.build(given.folder / "blank")
        load_model(given.folder / "blank", seed=1, drawn=given.folder / "base")
    settings = EvaluationSettings(max_completion_length=given.longest, batch_size=given.batch)
    nowhere = FileRef(path="rows.jsonl", sha256="0" * 64, size=0)
    work = EvaluationWork(
        spec=EvaluationSpec(
            job="eval-bench",
            model=ModelRef(name="starter", files=(), parameters=model.parameters()),
            dataset=DatasetRef(id="file-bench", file=nowhere, mapping=guess_mapping(("messages",)), rows=given.rows),
            grader=parse(GRADER),
            evaluator=None,
            answering=resolve(settings, rows=given.rows, parameters=model.parameters(), context=model.CONTEXT),
        ),
        attempt=1,
        worker="benchmark",
        folder=folder,
        model=given.model or given.folder / "base",
        rows=folder / "rows.jsonl",
        threads=usable_cores(),
    )
    write_orders(work.orders, Orders(order="go_on", lease_until=time.monotonic() + 3600))
    return work


def _start() -> None:
    """What a launcher has done already when a job comes."""
    import torch

    from trainer_worker.launcher import preload
    from trainer_worker.machine import usable_cores

    preload()
    torch.set_num_threads(usable_cores())


def _now() -> tuple[float, float]:
    return time.monotonic(), time.process_time()


def _tell(began: tuple[float, float], answers_s: float) -> None:
    clock, processor = (now - then for now, then in zip(_now(), began, strict=True))
    print(clock, processor, answers_s)


if __name__ == "__main__":
    main(sys.argv[1:])
