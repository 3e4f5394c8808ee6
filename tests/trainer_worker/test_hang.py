import os
import signal
import time
from dataclasses import replace
from pathlib import Path

from contracts.event import CheckpointSaved, Metrics, Phase
from tests.trainer_worker.jobs import grpo, make_spec
from tests.trainer_worker.other_side import OtherSide
from tests.trainer_worker.test_orders import begin, training
from trainer_worker.hang import PATIENCE_S, HangWatch
from trainer_worker.launching import LauncherProcess
from trainer_worker.settings import Settings
from trainer_worker.worker import Worker


def watch_after_steps(took_s: float, steps: int = 5) -> HangWatch:
    """Its last step ended at second 0."""
    watch = HangWatch(shortest_s=600, factor=20, now=-took_s * steps)
    watch.hear(Phase(name="training"), -took_s * steps)
    for step in range(1, steps + 1):
        watch.hear(Metrics(step=step, values={}), -took_s * (steps - step))
    return watch


def silence(watch: HangWatch, begin_s: float, end_s: float) -> bool:
    """Whether the watch loses its patience when it is looked at every 10 s."""
    return any(watch.verdict(begin_s + 10 * n) for n in range(int((end_s - begin_s) / 10) + 1))


def test_fast_steps_get_ten_minutes() -> None:
    watch = watch_after_steps(took_s=2)
    assert not silence(watch, 0, 600)
    fault = watch.verdict(610)
    assert fault
    assert (fault.code, fault.params) == ("job.hung", {"minutes": 10.2, "usual_s": 2.0})


def test_slow_steps_get_twenty_times_their_usual_time() -> None:
    watch = watch_after_steps(took_s=100)
    assert not silence(watch, 0, 2000)
    assert watch.verdict(2010)


def test_silence_before_the_first_step_says_so() -> None:
    watch = HangWatch(shortest_s=600, factor=20, now=0)
    watch.hear(Phase(name="training"), 0)
    assert not silence(watch, 0, PATIENCE_S)
    fault = watch.verdict(PATIENCE_S + 10)
    assert fault
    assert (fault.code, fault.cause) == ("job.hung_before_a_step", "platform")
    assert fault.message == "The training was silent for 60.2 minutes and had not finished a step yet."


def test_what_is_not_a_step_gets_an_hour() -> None:
    watch = watch_after_steps(took_s=2)
    watch.hear(Phase(name="saving"), 0)
    assert not silence(watch, 0, PATIENCE_S)
    watch.hear(CheckpointSaved(step=5, files=()), PATIENCE_S)
    watch.hear(Phase(name="training"), PATIENCE_S)
    assert silence(watch, PATIENCE_S, PATIENCE_S + 620)


def test_a_training_without_a_lease_does_not_hang_but_wait() -> None:
    watch = watch_after_steps(took_s=2)
    for second in range(0, 3600, 10):
        watch.rest(second)
        assert watch.verdict(second) is None


def test_a_worker_that_was_frozen_itself_starts_to_count_anew() -> None:
    watch = watch_after_steps(took_s=2)
    assert watch.verdict(10) is None
    assert watch.verdict(5000) is None
    assert silence(watch, 5010, 5620)


def test_a_training_that_hangs_is_killed_and_may_be_tried_again(
    side: OtherSide, settings: Settings, launcher: LauncherProcess, tiny: Path
) -> None:
    worker = Worker(replace(settings, hang_s=1.5), launcher=launcher)
    worker.start()
    begin(side, worker, make_spec(side, tiny, grpo(max_steps=1000, n_epochs=50)))
    time.sleep(1.0)
    os.kill(training(launcher), signal.SIGSTOP)
    failed = side.wait_for_end(20)
    worker.stop()
    worker.join()
    assert failed.fault.code == "job.hung"
    assert failed.fault.cause == "platform"
    assert failed.fault.evidence
