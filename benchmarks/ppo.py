"""GRPO against PPO on the same number of completions: compute, memory above the libraries', tokens a second.

    python -m benchmarks.ppo [--pairs 3] [--batches 8] [--updates 1 8] [--width 128] [--layers 4]

Both learn from 8 prompts with 8 completions each, in as many updates a batch; PPO's critic is as large as its policy,
and has no warm-up. Each run is a process of its own; in a pair one follows the other, in turn first. The first batch is
not counted. CPU time is the process's own, and hardly feels what else the machine does. Memory is the peak of the
process (of the GPU, where there is one) beyond what it held once all libraries were loaded.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks import _starter_job as starter_job
from contracts.method import CanonicalMethod, Grpo, GrpoHyperparameters, GrpoMethod, Ppo, PpoHyperparameters, PpoMethod
from trainer_worker.launching import LAUNCHER_ENVIRONMENT

SIDES = ("grpo", "ppo")
MEASURED = "measured.json"
FIGURES = {"wall_s": "s a batch", "cpu_s": "CPU s a batch", "memory_mb": "MB", "tokens_a_s": "tokens/s"}


def main(arguments: Sequence[str] = ()) -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--pairs", type=int, default=3)
    asked.add_argument("--batches", type=int, default=8)
    asked.add_argument("--updates", type=int, nargs="+", default=[1, 8], help="optimizer steps a batch")
    asked.add_argument("--width", type=int, default=128)
    asked.add_argument("--layers", type=int, default=4)
    asked.add_argument("--side", choices=SIDES, help=argparse.SUPPRESS)
    asked.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    given = asked.parse_args(arguments)
    if given.side:
        measure(given.side, given.folder, given.batches, given.updates[0], (given.width, given.layers))
        return
    for updates in given.updates:
        print(f"{updates} updates a batch, width {given.width}, {given.layers} layers, load {os.getloadavg()[0]:.1f}")
        shape = ["--width", str(given.width), "--layers", str(given.layers)]
        compare(given.pairs, ["--batches", str(given.batches), "--updates", str(updates), *shape])


def compare(pairs: int, options: list[str]) -> None:
    ratios: dict[str, list[float]] = {name: [] for name in FIGURES}
    for pair in range(pairs):
        order = SIDES if pair % 2 == 0 else SIDES[::-1]
        found = {side: run(side, options) for side in order}
        for side in SIDES:
            print(f"  {side}: " + ", ".join(f"{found[side][name]:.4g} {unit}" for name, unit in FIGURES.items()))
        for name, ratio in ratios.items():
            ratio.append(found["ppo"][name] / found["grpo"][name])
    for name, ratio in ratios.items():
        lowest, middle, highest = min(ratio), statistics.median(ratio), max(ratio)
        print(f"  PPO / GRPO, {name}: median {middle:.2f} ({lowest:.2f} to {highest:.2f}) of {pairs}", flush=True)
    less = {name: 1 - 1 / statistics.median(ratios[name]) for name in ("cpu_s", "memory_mb")}
    print(f"  GRPO needs {less['cpu_s']:.0%} less compute and {less['memory_mb']:.0%} less memory")


def run(side: str, options: list[str]) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "benchmarks.ppo", "--side", side, "--folder", folder, *options]
        with (Path(folder) / "printed").open("wb") as printed:
            status = subprocess.call(command, stdout=printed, stderr=printed, env=os.environ | LAUNCHER_ENVIRONMENT)
        if status:
            raise SystemExit((Path(folder) / "printed").read_text()[-3000:])
        measured: dict[str, float] = json.loads((Path(folder) / MEASURED).read_text())
        return measured


def method_of(side: str, batches: int, updates: int) -> CanonicalMethod:
    settings = starter_job.settings(batches * updates) | {"num_minibatches": updates}
    if side == "grpo":
        return GrpoMethod(grpo=Grpo(hyperparameters=GrpoHyperparameters(**settings)))
    return PpoMethod(ppo=Ppo(hyperparameters=PpoHyperparameters(**settings, critic_warmup_steps=0)))


def measure(side: str, folder: Path, batches: int, updates: int, shape: tuple[int, int]) -> None:
    """Train, and write down what it took from the second batch on."""
    from trainer_worker.attempt import carry_out, prepare_process
    from trainer_worker.callbacks import Watch
    from trainer_worker.methods import grpo, ppo

    assert grpo.Trainer is not ppo.Trainer  # both are loaded now, and whatever they need
    base, prompts = starter_job.write_files(folder)
    reshape(base / "config.json", *shape)
    assignment = starter_job.assignment(folder, base, prompts, batches * updates, method_of(side, batches, updates))
    prepare_process(assignment)
    clock: list[tuple[float, float, int]] = []
    log = Watch.on_log

    def timed(watch: Watch, *given: Any, **named: Any) -> None:
        log(watch, *given, **named)
        clock.append((time.perf_counter(), time.process_time(), watch.trained_tokens))

    Watch.on_log = timed  # type: ignore[method-assign, assignment]  # a clock laid over it
    held = memory_mb()
    if carry_out(assignment):
        raise SystemExit(1)
    first, last = clock[updates - 1], clock[batches * updates - 1]
    wall, cpu, tokens = (late - early for early, late in zip(first, last, strict=True))
    each = batches - 1
    found = {"wall_s": wall / each, "cpu_s": cpu / each, "memory_mb": memory_mb() - held, "tokens_a_s": tokens / wall}
    (folder / MEASURED).write_text(json.dumps(found))


def reshape(config: Path, width: int, layers: int) -> None:
    """Another size of the same architecture."""
    wanted = {"hidden_size": width, "intermediate_size": 4 * width, "num_hidden_layers": layers}
    config.write_text(json.dumps(json.loads(config.read_text()) | wanted))


def memory_mb() -> float:
    """The peak so far."""
    import torch

    if torch.cuda.is_available():
        return torch.cuda.max_memory_allocated() / 1e6
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3


if __name__ == "__main__":
    main(sys.argv[1:])
