"""A worker that starts anew in its folder: alone there, after the last one's training has died, and honest about it."""

import os
import signal
import subprocess
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from contracts.event import Stopped
from tests.trainer_worker.jobs import grpo, make_spec
from tests.trainer_worker.other_side import OtherSide
from tests.trainer_worker.test_app import CELERY, celery_worker, descendants, environment, is_running
from tests.trainer_worker.test_attempts import finished
from trainer_worker.launching import LauncherProcess
from trainer_worker.scratch import (
    ScratchTaken,
    clear,
    instance_of,
    join_trainers,
    occupy,
    outlive_trainers,
)
from trainer_worker.settings import Settings
from trainer_worker.worker import Worker

LONG = grpo(max_steps=1000, n_epochs=50)


def test_a_folder_keeps_its_instance_and_another_has_its_own(tmp_path: Path) -> None:
    first = instance_of(tmp_path / "a")
    assert instance_of(tmp_path / "a") == first
    assert instance_of(tmp_path / "b") != first
    (tmp_path / "a" / "instance").write_text("")  # the disk was full when it was drawn
    assert instance_of(tmp_path / "a")


def test_two_workers_never_work_in_one_folder(tmp_path: Path) -> None:
    with occupy(tmp_path), pytest.raises(ScratchTaken, match="WHETSTONE_SCRATCH of its own"):
        occupy(tmp_path)
    occupy(tmp_path).close()


def test_a_new_worker_waits_until_the_last_training_has_died(tmp_path: Path) -> None:
    lock = join_trainers(tmp_path)
    threading.Timer(0.3, lock.close).start()
    began = time.monotonic()
    outlive_trainers(tmp_path)
    assert time.monotonic() - began > 0.2


def test_a_launcher_and_what_it_forks_hold_the_lock_of_trainers(tmp_path: Path) -> None:
    launcher = LauncherProcess(tmp_path)
    waiting = threading.Thread(target=outlive_trainers, args=(tmp_path,), daemon=True)
    waiting.start()
    waiting.join(0.3)
    assert waiting.is_alive()
    launcher.close()
    waiting.join(5)
    assert not waiting.is_alive()


def test_leftovers_of_former_attempts_are_deleted(tmp_path: Path) -> None:
    partial = tmp_path / "jobs" / "ftjob-1" / "1" / "checkpoints" / "checkpoint-5"
    partial.mkdir(parents=True)
    (partial / "optimizer.pt").write_bytes(b"half")
    clear(tmp_path)
    assert not (tmp_path / "jobs").exists()


def test_what_was_held_is_given_up_before_anything_is_claimed(
    side: OtherSide, settings: Settings, launcher: LauncherProcess
) -> None:
    side.is_down = True
    worker = Worker(settings, launcher=launcher)
    worker.start()
    time.sleep(0.3)
    side.is_down = False
    side.wait_for(lambda s: len(s.releases) == 1)
    assert side.claims == []
    worker.wake()
    worker.stop()
    worker.join()
    instance = instance_of(settings.scratch)
    assert (side.releases[0].worker, side.releases[0].instance) == ("worker-1", instance)
    assert {claim.instance for claim in side.claims} == {instance}


def test_a_killed_worker_starts_anew_when_its_training_is_dead(side: OtherSide, tiny: Path, tmp_path: Path) -> None:
    broker, scratch = f"sqla+sqlite:///{tmp_path / 'broker.sqlite3'}", tmp_path / "scratch"
    with celery_worker(side, scratch, broker, WHETSTONE_IDLE_POLL_S="0.5") as process:
        side.queue(make_spec(side, tiny, LONG))
        side.wait_for(lambda s: len(s.events("metrics")) > 1)
        second = subprocess.run(
            CELERY, env=environment(side, scratch, broker), capture_output=True, text=True, check=False, timeout=60
        )
        assert second.returncode != 0
        assert "another worker works in" in second.stderr
        training = descendants(process.pid)
        os.kill(process.pid, signal.SIGKILL)
    side.hellos.clear()
    side.reports.clear()
    side.queue(make_spec(side, tiny), attempt=2)
    with celery_worker(side, scratch, broker, WHETSTONE_IDLE_POLL_S="0.5"):
        side.wait_for(lambda s: len(s.releases) == 2)
        assert not any(is_running(pid) for pid in training)
        finished(side)
    assert len({release.instance for release in side.releases}) == 1


def test_the_same_signal_twice_ends_a_training_at_once(side: OtherSide, tiny: Path, tmp_path: Path) -> None:
    broker = f"sqla+sqlite:///{tmp_path / 'broker.sqlite3'}"
    with celery_worker(side, tmp_path / "scratch", broker, WHETSTONE_IDLE_POLL_S="0.5") as process:
        side.queue(make_spec(side, tiny, LONG))
        side.wait_for(lambda s: len(s.events("metrics")) > 1)
        (launcher, training) = descendants(process.pid)
        os.kill(training, signal.SIGSTOP)  # a step that does not end
        process.send_signal(signal.SIGTERM)
        time.sleep(0.5)
        assert is_running(training)
        process.send_signal(signal.SIGTERM)
        assert isinstance(side.wait_for_end(10), Stopped)
        assert process.wait(10) == 0
        assert not is_running(launcher)


def test_a_step_that_does_not_end_is_cut_when_the_time_for_draining_is_over(
    side: OtherSide, settings: Settings, launcher: LauncherProcess, tiny: Path
) -> None:
    worker = Worker(replace(settings, drain_s=1.0), launcher=launcher)
    worker.start()
    side.queue(make_spec(side, tiny, LONG))
    side.wait_for(lambda s: len(s.events("metrics")) > 1)
    (training,) = (int(c) for c in Path(f"/proc/{launcher.pid}/task/{launcher.pid}/children").read_text().split())
    os.kill(training, signal.SIGSTOP)
    worker.stop()
    end = side.wait_for_end(10)
    worker.join()
    assert isinstance(end, Stopped)
    assert end.step == side.events("metrics")[-1].step


def test_a_worker_that_is_told_to_stop_does_not_wait_for_an_absent_platform(
    side: OtherSide, settings: Settings, launcher: LauncherProcess, tiny: Path
) -> None:
    worker = Worker(settings, launcher=launcher)
    worker.start()
    side.queue(make_spec(side, tiny, LONG))
    side.wait_for(lambda s: len(s.events("metrics")) > 1)
    side.is_down = True
    began = time.monotonic()
    worker.stop()
    worker.join()
    assert time.monotonic() - began < 12


def test_a_wake_up_that_comes_after_the_shift_holds_nobody_up(
    side: OtherSide, settings: Settings, launcher: LauncherProcess
) -> None:
    worker = Worker(settings, launcher=launcher)
    worker.start()
    worker.stop()
    worker.join()
    late = threading.Thread(target=worker.wake, daemon=True)
    late.start()
    late.join(5)
    assert not late.is_alive()
