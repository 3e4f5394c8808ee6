"""GRPO through Whetstone's training process against a bare TRL script with the same settings.

    python -m benchmarks.training [--pairs 5] [--steps 20]

Prints seconds and CPU seconds a step of each, the share of a step that sampling takes, the median of the pairs' ratios,
and the share of a step that reporting takes: orders looked at, metrics and rollouts written, all that the training
process does for us in and between its steps. The model starts from random weights, so that most completions run to the
length limit: the hard case for a sampler that gains from rows that end. Both sides run one after the other, in turn
first, each in a process of its own and under the same OMP settings (without them a busy machine decides, not the code);
what counts is the time between the logs of the second and the last step. CPU seconds matter where others work beside.
"""

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from benchmarks import _starter_job as starter_job
from trainer_worker.launching import LAUNCHER_ENVIRONMENT

SIDES = ("whetstone", "bare")
MEASURED = "measured.json"


class Step(NamedTuple):
    """Seconds that one step takes on average."""

    wall_s: float
    cpu_s: float
    sampling_s: float
    reporting_s: float

    def __str__(self) -> str:
        return f"{self.wall_s:.3f} s ({self.cpu_s:.3f} CPU, sampling {self.sampling_s / self.wall_s:.0%})"


def main(arguments: Sequence[str] = ()) -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--pairs", type=int, default=5)
    asked.add_argument("--steps", type=int, default=20)
    asked.add_argument("--side", choices=SIDES, help=argparse.SUPPRESS)
    asked.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    given = asked.parse_args(arguments)
    if given.side:
        {"whetstone": run_whetstone, "bare": run_bare}[given.side](given.folder, given.steps)
        return
    pairs = []
    for pair in range(given.pairs):
        order = SIDES if pair % 2 == 0 else SIDES[::-1]
        took = {side: measured(side, given.steps) for side in order}
        pairs.append((took["whetstone"], took["bare"]))
        print("  ".join(f"{side}: {took[side]} a step" for side in SIDES), flush=True)
    report(pairs)


def report(pairs: list[tuple[Step, Step]]) -> None:
    for what, ratios in (
        ("seconds a step", [ours.wall_s / bare.wall_s for ours, bare in pairs]),
        ("CPU seconds a step", [ours.cpu_s / bare.cpu_s for ours, bare in pairs]),
        ("seconds of sampling", [ours.sampling_s / bare.sampling_s for ours, bare in pairs]),
    ):
        least, most = min(ratios), max(ratios)
        middle = statistics.median(ratios)
        print(f"{what}, whetstone / bare TRL: {middle:.2f}, median of {len(pairs)} pairs ({least:.2f} to {most:.2f})")
    overhead = statistics.median(ours.reporting_s / ours.wall_s for ours, _ in pairs)
    print(f"reporting: {overhead:.2%} of a step")


def measured(side: str, steps: int) -> Step:
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "benchmarks.training", "--side", side, "--steps", str(steps)]
        environment = os.environ | LAUNCHER_ENVIRONMENT
        done = subprocess.run([*command, "--folder", folder], capture_output=True, env=environment, check=False)
        if not (file := Path(folder) / MEASURED).exists():
            raise SystemExit((done.stdout + done.stderr).decode()[-3000:])
        return Step(**json.loads(file.read_bytes()))


class Watched:
    """What both sides are measured by: the moments of TRL's logs, and clocks over what is done between them."""

    def __init__(self) -> None:
        from trl import GRPOTrainer

        self.sampling = Stopwatch()
        self.reporting = Stopwatch()
        self.sampling.over(GRPOTrainer, "_generate_single_turn")
        self._moments: list[tuple[float, float, float, float]] = []
        log = GRPOTrainer.log

        def noted(trainer: object, logs: dict[str, float], *given: object) -> None:
            if "loss" in logs:
                clocks = (time.perf_counter(), time.process_time())
                self._moments.append((*clocks, self.sampling.total_s, self.reporting.total_s))
            log(trainer, logs, *given)

        GRPOTrainer.log = noted

    def write(self, folder: Path) -> None:
        first, *_, last = self._moments[1:]
        steps = len(self._moments) - 2
        found = Step(*((end - begin) / steps for begin, end in zip(first, last, strict=True)))
        (folder / MEASURED).write_text(json.dumps(found._asdict()))


class Stopwatch:
    """Seconds spent in the methods that it was laid over. What one of them calls is counted once."""

    def __init__(self) -> None:
        self.total_s = 0.0
        self._is_running = False

    def over(self, owner: type, name: str) -> None:
        method = getattr(owner, name)

        def timed(*given: object, **named: object) -> object:
            if self._is_running:
                return method(*given, **named)
            self._is_running, began = True, time.perf_counter()
            try:
                return method(*given, **named)
            finally:
                self.total_s += time.perf_counter() - began
                self._is_running = False

        setattr(owner, name, timed)


def run_whetstone(folder: Path, steps: int) -> None:
    from trainer_worker.attempt import carry_out, prepare_process
    from trainer_worker.callbacks import Watch
    from trainer_worker.methods.drawing import Drawing
    from trainer_worker.rollouts import RolloutWriter

    assignment = starter_job.assignment(folder, *starter_job.write_files(folder), steps)
    prepare_process(assignment)
    watched = Watched()
    watched.sampling.over(Drawing, "_generate_single_turn")
    for name in ("on_step_begin", "on_substep_end", "on_step_end", "on_log"):
        watched.reporting.over(Watch, name)
    watched.reporting.over(RolloutWriter, "add")
    status = carry_out(assignment)
    watched.write(folder)
    sys.exit(status)


def run_bare(folder: Path, steps: int) -> None:
    """What somebody who knows TRL would write."""
    import torch
    from datasets import Dataset
    from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer, PrinterCallback
    from trl import GRPOConfig, GRPOTrainer

    torch.set_num_threads(len(os.sched_getaffinity(0)))
    base, prompts = starter_job.write_files(folder)
    rows = [json.loads(line) for line in prompts.read_text().splitlines()]

    def reward(completions: list[list[dict[str, str]]], answer: list[str], **_: object) -> list[float]:
        found = [re.findall(r"#(\d+)", turns[-1]["content"]) for turns in completions]
        return [float(bool(each) and each[-1] == right) for each, right in zip(found, answer, strict=True)]

    torch.manual_seed(1)
    trainer = GRPOTrainer(
        model=AutoModelForCausalLM.from_config(AutoConfig.from_pretrained(base)),
        args=GRPOConfig(
            output_dir=str(folder / "out"),
            max_steps=steps,
            per_device_train_batch_size=starter_job.PROMPTS_A_STEP * starter_job.GROUP,
            num_generations=starter_job.GROUP,
            max_completion_length=starter_job.LONGEST,
            learning_rate=starter_job.RATE,
            top_k=0,
            epsilon_high=0.28,
            bf16=torch.cuda.is_available(),
            gradient_checkpointing=False,
            use_cpu=not torch.cuda.is_available(),
            logging_steps=1,
            save_strategy="no",
            report_to=[],
            disable_tqdm=True,
            seed=1,
        ),
        reward_funcs=reward,
        train_dataset=Dataset.from_dict(
            {"prompt": [row["messages"] for row in rows], "answer": [row["answer"] for row in rows]}
        ),
        processing_class=AutoTokenizer.from_pretrained(base, padding_side="left"),
    )
    trainer.remove_callback(PrinterCallback)
    watched = Watched()
    trainer.train()
    watched.write(folder)


if __name__ == "__main__":
    main(sys.argv[1:])
