"""Cancel, pause, kill, a lost lease, a platform that is down: what a running attempt does then."""

import os
import signal
import threading
import time
from pathlib import Path

import pytest

from contracts.event import ResumePoint, Stopped
from contracts.job import JobSpec
from contracts.method import Method
from tests.trainer_worker.jobs import full, grpo, lora, make_spec, ppo, rloo
from tests.trainer_worker.other_side import OtherSide
from tests.trainer_worker.test_attempts import finished, weights
from trainer_worker.launching import LauncherProcess
from trainer_worker.worker import Worker

LONG = grpo(max_steps=1000, n_epochs=50)


def begin(side: OtherSide, worker: Worker, spec: JobSpec) -> None:
    side.queue(spec)
    threading.Thread(target=worker.wake, daemon=True).start()
    side.wait_for(lambda s: len(s.events("metrics")) >= 2)


def children_of(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def training(launcher: LauncherProcess) -> int:
    (pid,) = children_of(launcher.pid)
    return pid


def test_cancel_ends_the_training_at_the_next_step(
    side: OtherSide, worker: Worker, launcher: LauncherProcess, tiny: Path
) -> None:
    begin(side, worker, make_spec(side, tiny, LONG))
    side.order = "cancel"
    ordered_at = time.monotonic()
    end = side.wait_for_end()
    assert isinstance(end, Stopped)
    assert time.monotonic() - ordered_at < 4
    assert children_of(launcher.pid) == []


def test_cancel_frees_the_machine_in_the_middle_of_a_step(
    side: OtherSide, worker: Worker, launcher: LauncherProcess, tiny: Path
) -> None:
    begin(side, worker, make_spec(side, tiny, LONG))
    os.kill(training(launcher), signal.SIGSTOP)  # a step that does not end
    side.order = "cancel"
    assert isinstance(side.wait_for_end(), Stopped)
    assert children_of(launcher.pid) == []


def test_pause_saves_a_checkpoint_and_frees_the_machine(
    side: OtherSide, worker: Worker, launcher: LauncherProcess, tiny: Path
) -> None:
    begin(side, worker, make_spec(side, tiny, LONG))
    side.order = "pause"
    end = side.wait_for_end()
    assert isinstance(end, Stopped)
    assert [event.step for event in side.events("checkpoint")] == [end.step]
    assert children_of(launcher.pid) == []


def test_a_killed_training_is_reported_at_once_with_the_end_of_its_log(
    side: OtherSide, worker: Worker, launcher: LauncherProcess, tiny: Path
) -> None:
    begin(side, worker, make_spec(side, tiny, LONG))
    os.kill(training(launcher), signal.SIGKILL)
    killed_at = time.monotonic()
    failed = side.wait_for_end()
    assert time.monotonic() - killed_at < 2
    assert failed.fault.code == "job.process_died"
    assert "signal 9" in failed.fault.params["how"]
    assert "training data: 40 rows read" in failed.fault.evidence


def test_a_training_that_crashes_says_by_which_signal(
    side: OtherSide, worker: Worker, launcher: LauncherProcess, tiny: Path
) -> None:
    begin(side, worker, make_spec(side, tiny, LONG))
    os.kill(training(launcher), signal.SIGSEGV)
    failed = side.wait_for_end()
    assert failed.fault.code == "job.process_died"
    assert failed.fault.params["how"] == "signal 11"


def test_a_replaced_attempt_ends_itself_and_says_no_more(
    side: OtherSide, worker: Worker, launcher: LauncherProcess, tiny: Path
) -> None:
    begin(side, worker, make_spec(side, tiny, LONG))
    side.order = "replaced"
    worker.wake()
    assert children_of(launcher.pid) == []
    assert not side.events("stopped")
    assert not side.events("failed")


def test_the_next_job_starts_after_a_cancelled_one(side: OtherSide, worker: Worker, tiny: Path) -> None:
    begin(side, worker, make_spec(side, tiny, LONG))
    side.order = "cancel"
    side.wait_for_end()
    side.order = "go_on"
    side.reports.clear()
    side.queue(make_spec(side, tiny, job="ftjob-2"))
    worker.wake()
    finished(side)


def test_without_a_lease_the_training_waits_and_then_loses_nothing(side: OtherSide, worker: Worker, tiny: Path) -> None:
    side.lease_s = 0.6
    begin(side, worker, make_spec(side, tiny, grpo(max_steps=60, n_epochs=50)))
    side.is_down = True
    time.sleep(1.5)  # longer than the lease: the training now stands still
    side.is_down = False
    finished(side)
    assert [event.step for event in side.events("metrics")] == list(range(1, 61))


def test_a_worker_that_is_told_to_stop_gives_its_job_back(
    side: OtherSide, worker: Worker, launcher: LauncherProcess, tiny: Path
) -> None:
    begin(side, worker, make_spec(side, tiny, LONG))
    worker.stop()
    asked_at = time.monotonic()
    end = side.wait_for_end()
    assert time.monotonic() - asked_at < 5
    assert isinstance(end, Stopped)
    assert end.step == side.events("metrics")[-1].step == side.events("checkpoint")[-1].step
    worker.join()
    assert children_of(launcher.pid) == []


@pytest.mark.parametrize(
    "method",
    [
        full(max_steps=6, batch_size=4, checkpoint_interval=3, learning_rate=0.01),
        grpo(max_steps=6, checkpoint_interval=3, learning_rate=0.01),
        grpo(max_steps=8, checkpoint_interval=3, num_iterations=2, learning_rate=0.01),
        grpo(max_steps=8, checkpoint_interval=3, num_minibatches=2, learning_rate=0.01, beta=0.1),
        grpo(max_steps=8, checkpoint_interval=4, num_minibatches=2, num_iterations=2, learning_rate=0.01),
        grpo(max_steps=6, checkpoint_interval=3, preset="dapo", max_resamples=2, learning_rate=0.01),
        rloo(max_steps=6, checkpoint_interval=3, learning_rate=0.01),
        rloo(max_steps=8, checkpoint_interval=3, num_minibatches=2, num_iterations=2, learning_rate=0.01),
        ppo(max_steps=8, checkpoint_interval=3, learning_rate=0.01),
        ppo(max_steps=8, num_iterations=2, checkpoint_interval=3, learning_rate=0.01, normalize_rewards=True, beta=0.1),
        ppo(max_steps=8, checkpoint_interval=3, critic_warmup_steps=5, micro_batch_size=2, learning_rate=0.01),
        ppo(max_steps=8, checkpoint_interval=3, target_kl=1e-6, value_clip_range=0.2, learning_rate=0.01),
        ppo(max_steps=8, checkpoint_interval=3, rank=4, beta=0.1, learning_rate=0.01),
    ],
    ids=[
        "full",
        "grpo",
        "two passes a batch",
        "two minibatches",
        "two passes over two minibatches",
        "resampling",
        "rloo",
        "rloo with four updates a batch",
        "ppo",
        "ppo with normalised rewards and a reference",
        "ppo whose critic warms up",
        "ppo whose policy rests",
        "ppo with adapters",
    ],
)
def test_a_resumed_attempt_ends_with_the_weights_of_an_undisturbed_one(
    side: OtherSide, worker: Worker, tiny: Path, method: Method
) -> None:
    spec = make_spec(side, tiny, method)
    side.queue(spec)
    worker.wake()
    undisturbed = weights(side, finished(side))
    metrics = {event.step: event.values for event in side.events("metrics")}
    checkpoint = side.events("checkpoint")[0]
    side.reports.clear()

    tokens = int(max(values.get("num_tokens", 0) for step, values in metrics.items() if step <= checkpoint.step))
    resume = ResumePoint(step=checkpoint.step, files=checkpoint.files)
    side.queue(spec, attempt=2, resume=resume, trained_tokens=tokens)
    worker.wake()
    resumed = weights(side, finished(side))
    assert [event.step for event in side.events("metrics")] == list(range(checkpoint.step + 1, spec.total_steps + 1))
    assert all((undisturbed[name] == resumed[name]).all() for name in undisturbed)
    for event in side.events("metrics"):
        assert event.values.get("num_tokens") == metrics[event.step].get("num_tokens")
        assert timeless(event.values) == timeless(metrics[event.step])


def timeless(values: dict[str, float]) -> dict[str, float]:
    return {
        name: value for name, value in values.items() if not (name.endswith("_time") or name.startswith("grading_s/"))
    }


@pytest.mark.parametrize("method", [full(), lora(), grpo(), ppo()], ids=["full", "lora", "grpo", "ppo"])
def test_an_attempt_that_died_after_the_last_step_trains_no_further(
    side: OtherSide, worker: Worker, tiny: Path, method: Method
) -> None:
    spec = make_spec(side, tiny, method)
    side.queue(spec)
    worker.wake()
    undisturbed = weights(side, finished(side))
    resume = side.resume_point()
    assert resume.step == spec.total_steps
    side.reports.clear()
    side.queue(spec, attempt=2, resume=resume)
    worker.wake()
    resumed = weights(side, finished(side))
    assert side.events("metrics") == []
    assert all((undisturbed[name] == resumed[name]).all() for name in undisturbed)


@pytest.mark.parametrize("killed_after", [3, 5, 8])
def test_a_ppo_training_that_is_killed_ends_with_the_weights_of_an_undisturbed_one(
    side: OtherSide, worker: Worker, launcher: LauncherProcess, tiny: Path, killed_after: int
) -> None:
    method = ppo(max_steps=16, num_iterations=2, checkpoint_interval=4, normalize_rewards=True, learning_rate=0.01)
    spec = make_spec(side, tiny, method)
    side.queue(spec)
    worker.wake()
    undisturbed = weights(side, finished(side))
    side.reports.clear()

    side.queue(spec)
    threading.Thread(target=worker.wake, daemon=True).start()
    side.wait_for(lambda s: len(s.events("metrics")) >= killed_after)
    os.kill(training(launcher), signal.SIGKILL)
    assert side.wait_for_end().fault.code == "job.process_died"
    resume = side.resume_point() if side.events("checkpoint") else None
    assert resume is None or resume.step % 4 == 0
    side.reports.clear()
    side.queue(spec, attempt=2, resume=resume)
    worker.wake()
    resumed = weights(side, finished(side))
    assert all((undisturbed[name] == resumed[name]).all() for name in undisturbed)


def test_a_damaged_checkpoint_is_refused(side: OtherSide, worker: Worker, tiny: Path) -> None:
    spec = make_spec(side, tiny, full(checkpoint_interval=2))
    side.queue(spec)
    worker.wake()
    finished(side)
    checkpoint = side.events("checkpoint")[0]
    side.reports.clear()
    files = tuple(ref for ref in checkpoint.files if ref.path != "optimizer.pt")
    side.queue(spec, attempt=2, resume=ResumePoint(step=2, files=files))
    worker.wake()
    fault = side.wait_for_end().fault
    assert (fault.code, fault.params["step"]) == ("checkpoint.damaged", 2)
    assert "optimizer.pt is missing" in fault.message
