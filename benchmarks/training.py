"""GRPO through Whetstone's training process against a bare TRL script with the same settings.

    python -m benchmarks.training [--pairs 3] [--steps 20]

Prints seconds a step of each, the median of the pairs' ratios, and the share of a step that reporting takes: orders
looked at, metrics and rollouts written, all that the training process does for us in and between its steps. Both sides
run one after the other, in turn first, each in a process of its own and under the same OMP settings (without them a
busy machine decides, not the code); the time between the logs of the second and the last step is what counts.
"""

import argparse
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks import _starter_job as starter_job
from trainer_worker.launching import LAUNCHER_ENVIRONMENT

SIDES = ("whetstone", "bare")
SPENT = "seconds-in-callbacks"


def main(arguments: Sequence[str] = ()) -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--pairs", type=int, default=3)
    asked.add_argument("--steps", type=int, default=20)
    asked.add_argument("--side", choices=SIDES, help=argparse.SUPPRESS)
    asked.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    given = asked.parse_args(arguments)
    if given.side:
        {"whetstone": run_whetstone, "bare": run_bare}[given.side](given.folder, given.steps)
        return
    ratios = []
    for pair in range(given.pairs):
        order = SIDES if pair % 2 == 0 else SIDES[::-1]
        took = {side: seconds_a_step(side, given.steps) for side in order}
        ratios.append(took["whetstone"] / took["bare"])
        print("  ".join(f"{side}: {took[side]:.3f} s a step" for side in SIDES), f" ratio {ratios[-1]:.2f}", flush=True)
    print(f"whetstone / bare TRL, median of {given.pairs} pairs: {statistics.median(ratios):.2f}")


def seconds_a_step(side: str, steps: int) -> float:
    with tempfile.TemporaryDirectory() as folder:
        command = [
            sys.executable,
            "-m",
            "benchmarks.training",
            "--side",
            side,
            "--steps",
            str(steps),
            "--folder",
            folder,
        ]
        with (Path(folder) / "printed").open("wb") as printed:
            process = subprocess.Popen(command, stdout=printed, stderr=printed, env=os.environ | LAUNCHER_ENVIRONMENT)
        try:
            arrived = log_times(Path(folder) / "spool.jsonl", process)
        finally:
            process.kill()
            process.wait()
        if len(arrived) < steps:
            raise SystemExit((Path(folder) / "printed").read_text()[-3000:])
        a_step = (arrived[-1] - arrived[1]) / (steps - 2)
        if (spent := Path(folder) / SPENT).exists():
            report_overhead(float(spent.read_text()) / steps, a_step)
        return a_step


def report_overhead(reporting_s: float, step_s: float) -> None:
    print(f"reporting: {reporting_s * 1000:.2f} ms of a step, {reporting_s / step_s:.2%}", flush=True)


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


def log_times(spool: Path, process: subprocess.Popen[bytes]) -> list[float]:
    """When each line about a step was written, as seen from outside."""
    from trainer_worker.spool import Tail

    times: list[float] = []
    tail = Tail(spool)
    while process.poll() is None:
        times += [time.perf_counter() for line in tail.lines() if b'"metrics"' in line]
        time.sleep(0.002)
    return times


def run_whetstone(folder: Path, steps: int) -> None:
    from trainer_worker.attempt import carry_out, prepare_process
    from trainer_worker.callbacks import Watch
    from trainer_worker.rollouts import RolloutWriter

    assignment = starter_job.assignment(folder, *starter_job.write_files(folder), steps)
    prepare_process(assignment)
    stopwatch = Stopwatch()
    for name in ("on_step_begin", "on_substep_end", "on_step_end", "on_log"):
        stopwatch.over(Watch, name)
    stopwatch.over(RolloutWriter, "add")
    status = carry_out(assignment)
    (folder / SPENT).write_text(str(stopwatch.total_s))
    sys.exit(status)


def run_bare(folder: Path, steps: int) -> None:
    """What somebody who knows TRL would write."""
    import json

    import torch
    from datasets import Dataset
    from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer, TrainerCallback
    from trl import GRPOConfig, GRPOTrainer

    torch.set_num_threads(len(os.sched_getaffinity(0)))
    base, prompts = starter_job.write_files(folder)
    rows = [json.loads(line) for line in prompts.read_text().splitlines()]

    def reward(completions: list[list[dict[str, str]]], answer: list[str], **_: object) -> list[float]:
        found = [re.findall(r"#(\d+)", turns[-1]["content"]) for turns in completions]
        return [float(bool(each) and each[-1] == right) for each, right in zip(found, answer, strict=True)]

    class Lines(TrainerCallback):  # type: ignore[misc]  # transformers is read as untyped
        def on_log(self, args: object, state: object, control: object, logs: dict[str, float], **_: object) -> None:
            with (folder / "spool.jsonl").open("a") as file:
                file.write(json.dumps({"type": "metrics" if "loss" in logs else "end"}) + "\n")

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
        callbacks=[Lines()],
    )
    trainer.train()


if __name__ == "__main__":
    main(sys.argv[1:])
