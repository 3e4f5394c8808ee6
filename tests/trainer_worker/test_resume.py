"""Killed or paused anywhere and resumed: the weights and the metrics of a training that was left alone."""

import os
import random
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from contracts.evaluation import EvaluationSpec
from contracts.event import ResumePoint
from contracts.job import JobSpec
from contracts.method import LoraAdapter, Method
from tests.trainer_worker.jobs import dpo, full, kto, lora, make_spec, reward_model, some_rows
from tests.trainer_worker.other_side import OtherSide
from tests.trainer_worker.test_attempts import finished, weights
from tests.trainer_worker.test_orders import training
from trainer_worker.launching import LauncherProcess
from trainer_worker.settings import Settings
from trainer_worker.worker import Worker

STEPS = 24
# Five batches an epoch: checkpoints lie within epochs, and the training goes over five of them.
PACE = {"max_steps": STEPS, "batch_size": 8, "n_epochs": 10, "checkpoint_interval": 7, "learning_rate": 0.003}
ADAPTER = LoraAdapter(rank=4, dropout=0.1)
METHODS: dict[str, Method] = {
    "full": full(**PACE),
    "lora": lora(**PACE),
    **{
        f"{form.__name__}, {'adapter' if adapter else 'all weights'}": form(**PACE, eval_interval=9, lora=adapter)
        for form in (dpo, kto, reward_model)
        for adapter in (None, ADAPTER)
    },
}
Told = dict[int, dict[str, float]]


def kill(side: OtherSide, launcher: LauncherProcess) -> None:
    os.kill(training(launcher), signal.SIGKILL)


def pause(side: OtherSide, launcher: LauncherProcess) -> None:
    side.order = "pause"


@pytest.mark.parametrize("end", [kill, pause], ids=["killed", "paused"])
@pytest.mark.parametrize("name", list(METHODS))
def test_an_interrupted_training_ends_like_one_that_was_left_alone(
    side: OtherSide,
    worker: Worker,
    launcher: LauncherProcess,
    settings: Settings,
    tiny: Path,
    name: str,
    end: Callable[[OtherSide, LauncherProcess], None],
) -> None:
    method = METHODS[name]
    spec = make_spec(side, tiny, method, held_out=some_rows(spec_method(method))[:4])
    expected, undisturbed, evaluated = run(side, worker, spec)

    at_step = random.Random(f"{name}{end.__name__}").randrange(1, STEPS - 8)
    begin(side, worker, spec)
    await_step(settings.scratch / "jobs" / spec.job / "1" / "spool.jsonl", at_step)
    end(side, launcher)
    side.wait_for_end()
    assert at_step <= max(told(side)) < STEPS
    saved = side.events("checkpoint")
    resume = ResumePoint(step=saved[-1].step, files=saved[-1].files) if saved else None
    before = {step: values for step, values in told(side).items() if resume and step <= resume.step}
    earlier = {e.step: e.values for e in side.events("evaluation") if resume and e.step <= resume.step}

    tokens = int(before[resume.step]["num_tokens"]) if resume else 0
    found, after, later = run(side, worker, spec, resume, tokens)
    assert set(before).isdisjoint(after)
    assert before | after == undisturbed
    assert earlier | later == evaluated
    assert all((expected[name] == found[name]).all() for name in expected)


def spec_method(method: Method) -> Any:  # Any: one of the canonical methods, as all here are
    return method


def run(
    side: OtherSide, worker: Worker, spec: JobSpec, resume: ResumePoint | None = None, tokens: int = 0
) -> tuple[dict[str, Any], Told, Told]:
    """An attempt to its end: its weights, metrics and evaluations."""
    side.reports.clear()
    side.order = "go_on"
    side.queue(spec, attempt=2 if resume else 1, resume=resume, trained_tokens=tokens)
    worker.wake()
    made = weights(side, finished(side))
    return made, told(side), {event.step: event.values for event in side.events("evaluation")}


def told(side: OtherSide) -> Told:
    """Metrics by step; each step once. Only what every run must repeat: no clocks."""
    steps = [event.step for event in side.events("metrics")]
    assert len(steps) == len(set(steps))
    return {event.step: event.values for event in side.events("metrics")}


def begin(side: OtherSide, worker: Worker, spec: JobSpec | EvaluationSpec) -> None:
    side.reports.clear()
    side.queue(spec)
    threading.Thread(target=worker.wake, daemon=True).start()


def await_step(spool: Path, step: int, patience_s: float = 60) -> None:
    """Until the training has written that step down, which the platform may not have heard of yet."""
    give_up = time.monotonic() + patience_s
    while not spool.exists() or spool.read_bytes().count(b'"metrics"') < step:
        assert time.monotonic() < give_up
        time.sleep(0.001)
