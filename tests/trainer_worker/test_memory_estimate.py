"""What the estimate says, beside the peak of a real training on this machine's CPU."""

import json
from pathlib import Path

import pytest
import torch
from transformers import AutoConfig, AutoModelForCausalLM

from contracts.estimate import RUNTIME, estimate
from contracts.event import Finished
from contracts.method import CanonicalMethod
from tests.trainer_worker.jobs import full, grpo
from tests.trainer_worker.trainers import assignment_of
from trainer_worker.assignment import Assignment
from trainer_worker.launching import LauncherProcess
from trainer_worker.needs import Needs
from trainer_worker.spool import SpoolReader
from whetstone.starter import model

WITHIN = 0.15
"""Of the whole peak: what the guide promises. `make bench ARGS=estimate` has every method."""
BEYOND = 1.35
"""A factor of the peak without the libraries: what the C library keeps differs from run to run."""
WIDE = {"hidden_size": 256, "intermediate_size": 1024, "num_hidden_layers": 6, "num_attention_heads": 4}
STEPS = {"max_steps": 1, "batch_size": 32, "micro_batch_size": 32, "checkpoint_interval": 9, "eval_interval": 9}
LONG = {"num_generations": 8, "batch_size": 4, "max_completion_length": 48, "beta": 0.1}


@pytest.fixture(scope="module")
def wide(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wide")
    model.build(folder)
    config = {**model.CONFIG, **WIDE, "num_key_value_heads": 2}
    (folder / "config.json").write_text(json.dumps(config))
    return folder


def parameters_of(folder: Path) -> int:
    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(AutoConfig.from_pretrained(folder))
    return int(model.num_parameters())


def peak_of(assignment: Assignment, launcher: LauncherProcess) -> int:
    """What a training process of the worker's launcher reports at its end."""
    assignment.write()
    training = launcher.launch(assignment.file)
    while training.status is None:
        launcher.listen(0.2)
    end = SpoolReader(assignment.spool).events()[-1]
    assert isinstance(end, Finished), assignment.log.read_text()[-3000:]
    assert end.peak_memory
    return end.peak_memory


@pytest.mark.parametrize(
    ("method", "checkpointing"),
    [(full(**STEPS), False), (full(**STEPS, gradient_checkpointing=True), True), (grpo(**(STEPS | LONG)), False)],
    ids=["full", "full with checkpointing", "grpo with a reference"],
)
def test_the_peak_is_what_the_estimate_says(
    wide: Path, launcher: LauncherProcess, tmp_path: Path, method: CanonicalMethod, checkpointing: bool
) -> None:
    assignment = assignment_of(method, wide, tmp_path, parameters=parameters_of(wide))
    measured = peak_of(assignment, launcher)
    needs = Needs.read(assignment)
    assert needs is not None
    estimated = estimate(assignment.spec.method, needs.load, checkpointing=checkpointing).peak
    print(f"MEMORY {measured / 1e6:.0f} MB measured, {estimated / 1e6:.0f} MB estimated, checkpointing {checkpointing}")
    assert abs(estimated / measured - 1) < WITHIN
    assert 1 / BEYOND < (estimated - RUNTIME) / (measured - RUNTIME) < BEYOND
