"""What a training process notes down of its need for memory, and what is made of it when it dies."""

import os
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from contracts.event import Failed, Metrics
from contracts.method import GrpoHyperparameters
from tests.trainer_worker.jobs import full, grpo
from tests.trainer_worker.trainers import assignment_of
from trainer_worker.assignment import Assignment
from trainer_worker.data import read_rows, turns_of
from trainer_worker.methods import base
from trainer_worker.methods.fitting import use_checkpointing
from trainer_worker.needs import Needs, advice
from trainer_worker.pretrained import load_tokenizer, render
from trainer_worker.spool import SpoolReader, SpoolWriter


def noted(assignment: Assignment) -> tuple[Needs, bool]:
    loaded = base.load(assignment, SpoolWriter(assignment.spool))
    answer = use_checkpointing(assignment, loaded.model, loaded.tokenizer)
    needs = Needs.read(assignment)
    assert needs is not None
    return needs, answer


@pytest.mark.parametrize("method", [grpo(), full(), full(max_length=16)], ids=["prompts", "rows", "rows cut short"])
def test_the_longest_row_is_counted_in_tokens(tiny: Path, tmp_path: Path, method: Any) -> None:
    assignment = assignment_of(method, tiny, tmp_path)
    needs, _ = noted(assignment)
    tokenizer = load_tokenizer(tiny)
    spec = assignment.spec.training
    lengths = []
    for row in read_rows(assignment.training, spec.mapping):
        answer = "" if method.is_reinforcement else str(row.completion)
        text = render(tokenizer, turns_of(row), to_be_answered=True) + answer
        lengths.append(len(tokenizer(text, add_special_tokens=False)["input_ids"]) + 1)
    assert needs.load.tokens == min(max(lengths), getattr(method.hyperparameters, "max_length", None) or 10**6)


def test_a_small_training_computes_nothing_twice(tiny: Path, tmp_path: Path) -> None:
    needs, answer = noted(assignment_of(grpo(), tiny, tmp_path))
    assert not answer
    assert needs.available > 1e8


def test_what_is_asked_for_is_done(tiny: Path, tmp_path: Path) -> None:
    assert noted(assignment_of(grpo(gradient_checkpointing=True), tiny, tmp_path))[1]


@pytest.mark.parametrize("said", ["true", True])
def test_a_form_may_say_it_in_a_word(said: Any) -> None:
    assert GrpoHyperparameters(gradient_checkpointing=said).gradient_checkpointing is True
    assert GrpoHyperparameters().gradient_checkpointing == "auto"


def test_the_advice_is_what_would_have_fitted(tiny: Path, tmp_path: Path) -> None:
    assignment = assignment_of(grpo(batch_size=8, num_generations=8, micro_batch_size=64), tiny, tmp_path)
    assert advice(assignment) == "micro_batch_size 1", "nothing is known yet"
    needs, _ = noted(assignment)
    large = needs.load.model_copy(update={"tokens": 20_000})
    needs.model_copy(update={"load": large, "available": 2e9}).write(assignment)
    assert advice(assignment).startswith("micro_batch_size ")
    assert advice(assignment) != "micro_batch_size 1"


def test_a_training_that_runs_out_of_memory_says_what_to_make_smaller(tiny: Path, tmp_path: Path) -> None:
    """A real limit on the address space, set while it trains: not a page more than it has now."""
    assignment = assignment_of(grpo(max_steps=400, n_epochs=50, micro_batch_size=8), tiny, tmp_path)
    assignment.write()
    command = [sys.executable, "-m", "trainer_worker.attempt", str(assignment.file)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    reader = SpoolReader(assignment.spool)
    while process.poll() is None and not any(isinstance(event, Metrics) for event in reader.events()):
        time.sleep(0.02)
    take_memory(process.pid)
    said = process.communicate()[0].decode()
    end = SpoolReader(assignment.spool).events()[-1]
    assert isinstance(end, Failed), said[-3000:]
    assert end.fault.code == "job.out_of_memory"
    assert "Clone the job with micro_batch_size 4" in end.fault.next_step


def take_memory(pid: int) -> None:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[0])
    limit = pages * os.sysconf("SC_PAGE_SIZE")
    resource.prlimit(pid, resource.RLIMIT_AS, (limit, limit))
