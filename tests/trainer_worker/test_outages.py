"""The platform away, or deaf, or mute: a training goes on as long as it may, and nothing is lost or doubled."""

import threading
import time
from pathlib import Path

import pytest

from contracts.event import Stopped
from contracts.job import JobSpec
from tests.trainer_worker.jobs import full, grpo, make_spec
from tests.trainer_worker.other_side import OtherSide
from tests.trainer_worker.test_attempts import HELD_OUT, finished
from tests.trainer_worker.test_orders import begin
from trainer_worker.worker import Worker


def steps(side: OtherSide) -> list[int]:
    return [event.step for event in side.events("metrics")]


def begin_to_wake(side: OtherSide, worker: Worker, spec: JobSpec) -> None:
    side.queue(spec)
    threading.Thread(target=worker.wake, daemon=True).start()


def test_last_words_wait_for_the_platform(side: OtherSide, worker: Worker, tiny: Path) -> None:
    begin(side, worker, make_spec(side, tiny, grpo(max_steps=12, n_epochs=50)))
    side.is_down = True
    time.sleep(4.0)  # the training has ended by now
    side.is_down = False
    finished(side)
    assert steps(side) == list(range(1, 13))
    assert side.reports[-1].event.type == "finished"


def test_reports_that_were_heard_but_not_answered_are_told_once(side: OtherSide, worker: Worker, tiny: Path) -> None:
    side.lease_s = 1.0
    begin(side, worker, make_spec(side, tiny, grpo(max_steps=30, n_epochs=50)))
    side.is_mute = True
    time.sleep(2.0)
    side.is_mute = False
    finished(side)
    assert steps(side) == list(range(1, 31))
    assert [report.seq for report in side.reports] == list(range(1, len(side.reports) + 1))


@pytest.mark.parametrize("answer", [(404, b"404 page not found"), (200, b"<h1>Back soon</h1>"), (302, b"")])
def test_what_a_proxy_says_of_its_own_is_no_answer(
    side: OtherSide, worker: Worker, tiny: Path, answer: tuple[int, bytes]
) -> None:
    begin(side, worker, make_spec(side, tiny, grpo(max_steps=12, n_epochs=50)))
    side.strange_answer = answer
    time.sleep(1.5)
    side.strange_answer = None
    finished(side)
    assert steps(side) == list(range(1, 13))


def test_a_platform_that_goes_away_during_the_downloads_is_waited_for(
    side: OtherSide, worker: Worker, tiny: Path
) -> None:
    spec = make_spec(side, tiny)
    missing = side.blobs.pop(spec.training.file.sha256)
    side.is_faint = True
    begin_to_wake(side, worker, spec)
    side.wait_for(lambda s: bool(s.reports))
    time.sleep(1.5)
    side.blobs[spec.training.file.sha256] = missing
    side.is_faint = False
    finished(side)


def test_a_cancel_is_obeyed_during_the_downloads(side: OtherSide, worker: Worker, tiny: Path) -> None:
    spec = make_spec(side, tiny)
    side.is_faint = True
    side.order = "cancel"
    begin_to_wake(side, worker, spec)
    assert isinstance(side.wait_for_end(10), Stopped)


def test_an_evaluation_that_a_pause_put_off_is_made_up_for(side: OtherSide, worker: Worker, tiny: Path) -> None:
    spec = make_spec(side, tiny, full(max_steps=60, eval_interval=1), held_out=HELD_OUT[:1])
    spec = spec.model_copy(update={"grader": make_spec(side, tiny).grader})
    begin(side, worker, spec)
    side.order = "pause"
    paused = side.wait_for_end()
    told = [event.step for event in side.events("evaluation")]
    resume = side.resume_point()
    side.order = "go_on"
    side.reports.clear()
    side.queue(spec, attempt=2, resume=resume)
    worker.wake()
    finished(side)
    told += [event.step for event in side.events("evaluation")]
    assert paused.step == resume.step
    assert told == list(range(spec.total_steps + 1))
