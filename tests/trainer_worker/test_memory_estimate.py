"""What the estimate says, beside the peak of a real training on this machine's CPU."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from transformers import AutoConfig, AutoModelForCausalLM

from contracts.estimate import RUNTIME, estimate
from contracts.method import CanonicalMethod
from tests.trainer_worker.jobs import full, grpo, tiny_model
from tests.trainer_worker.trainers import assignment_of
from trainer_worker.assignment import Assignment
from trainer_worker.needs import Needs
from whetstone.starter import model

FACTOR = 1.5
"""As contracts/estimate.py claims."""
WIDE = {"hidden_size": 256, "intermediate_size": 1024, "num_hidden_layers": 6, "num_attention_heads": 4}
STEPS = {"max_steps": 1, "batch_size": 32, "micro_batch_size": 32, "checkpoint_interval": 9, "eval_interval": 9}
PROBE = """
import atexit, pathlib, runpy, sys
peak = pathlib.Path(sys.argv.pop(1))
high = lambda: next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))
atexit.register(lambda: peak.write_text(high()))
runpy.run_module("trainer_worker.attempt", run_name="__main__")
"""
LONG = {"num_generations": 8, "batch_size": 4, "max_completion_length": 48, "beta": 0.1}


@pytest.fixture(scope="module")
def wide(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wide")
    model.build(folder)
    config = {**model.CONFIG, **WIDE, "num_key_value_heads": 2}
    (folder / "config.json").write_text(json.dumps(config))
    return folder


@pytest.fixture(scope="module")
def nothing(tmp_path_factory: pytest.TempPathFactory) -> int:
    """The peak of a training that needs next to nothing: the libraries' own memory."""
    folder = tmp_path_factory.mktemp("nothing")
    return peak_of(assignment_of(grpo(max_steps=1), tiny_model(folder / "model"), folder / "job"))


def parameters_of(folder: Path) -> int:
    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(AutoConfig.from_pretrained(folder))
    return int(model.num_parameters())


def peak_of(assignment: Assignment) -> int:
    """Bytes of resident memory at most, of a training process of its own.

    The process says it itself at its end: what its parent could ask for (ru_maxrss) begins at the parent's own size.
    """
    assignment.write()
    peak = assignment.folder / "peak"
    done = subprocess.run(
        [sys.executable, "-c", PROBE, str(peak), str(assignment.file)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]
    return int(peak.read_text().split()[1]) * 1024


@pytest.mark.parametrize(
    ("method", "checkpointing"),
    [
        (full(**STEPS), False),
        (full(**STEPS, gradient_checkpointing=True), True),
        (grpo(**(STEPS | LONG)), False),
    ],
    ids=["full", "full with checkpointing", "grpo with a reference"],
)
def test_the_peak_is_what_the_estimate_says(
    wide: Path, nothing: int, tmp_path: Path, method: CanonicalMethod, checkpointing: bool
) -> None:
    assignment = assignment_of(method, wide, tmp_path, parameters=parameters_of(wide))
    measured = peak_of(assignment) - nothing
    needs = Needs.read(assignment)
    assert needs is not None
    estimated = estimate(assignment.spec.method, needs.load, checkpointing=checkpointing).peak - RUNTIME
    print(f"MEMORY {measured / 1e6:.0f} MB measured, {estimated / 1e6:.0f} MB estimated, libraries {nothing / 1e6:.0f}")
    assert estimated / FACTOR < measured < estimated * FACTOR
