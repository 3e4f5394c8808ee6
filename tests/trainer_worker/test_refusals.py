"""A platform that refuses what an attempt reports: the attempt ends at once and says why, if it is heard at all."""

from collections.abc import Callable
from pathlib import Path

import pytest

from contracts.event import CheckpointSaved, Failed, Metrics, Report, WorkerEvent
from tests.trainer_worker.jobs import make_spec
from tests.trainer_worker.other_side import OtherSide
from tests.trainer_worker.test_attempts import finished
from tests.trainer_worker.test_orders import LONG, begin, children_of
from tests.trainer_worker.test_outages import steps
from trainer_worker.launching import LauncherProcess
from trainer_worker.worker import Worker


def refusing(is_wrong: Callable[[WorkerEvent], bool]) -> Callable[[tuple[Report, ...]], bool]:
    return lambda reports: any(is_wrong(report.event) for report in reports)


def is_metrics_of_step(step: int) -> Callable[[WorkerEvent], bool]:
    return lambda event: isinstance(event, Metrics) and event.step == step


def test_a_refused_event_ends_the_attempt_and_is_shown(
    side: OtherSide, worker: Worker, launcher: LauncherProcess, tiny: Path
) -> None:
    side.refuses = refusing(is_metrics_of_step(5))
    begin(side, worker, make_spec(side, tiny, LONG))
    failed = side.wait_for_end()
    assert (failed.fault.code, failed.fault.cause) == ("job.report_refused", "platform")
    assert "400" in failed.fault.message
    assert "that is not in the store" in failed.fault.message
    assert '"step":5' in failed.fault.evidence
    assert side.reports[-1].event == failed
    assert steps(side) == [1, 2, 3, 4]
    worker.wake()
    assert children_of(launcher.pid) == []


def test_the_good_events_of_a_refused_batch_are_told(side: OtherSide, worker: Worker, tiny: Path) -> None:
    side.refuses = refusing(lambda event: isinstance(event, CheckpointSaved))
    side.queue(make_spec(side, tiny))
    worker.wake()
    failed = side.wait_for_end()
    assert steps(side) == [1, 2, 3]
    assert '"type":"checkpoint"' in failed.fault.evidence
    assert [report.seq for report in side.reports[:-1]] == list(range(1, len(side.reports)))


def test_a_batch_that_is_only_too_large_is_sent_in_parts(side: OtherSide, worker: Worker, tiny: Path) -> None:
    side.refuses = lambda reports: len(reports) > 1
    side.queue(make_spec(side, tiny))
    worker.wake()
    finished(side)
    assert steps(side) == [1, 2, 3]


@pytest.mark.parametrize("kind", ["phase", "finished"])
def test_an_event_before_or_after_the_training_can_be_refused_too(
    side: OtherSide, worker: Worker, tiny: Path, kind: str
) -> None:
    side.refuses = refusing(lambda event: event.type == kind)
    side.queue(make_spec(side, tiny))
    worker.wake()
    failed = side.wait_for_end()
    assert isinstance(failed, Failed)
    assert f'"type":"{kind}"' in (failed.fault.evidence or "")


def test_an_attempt_that_is_not_heard_at_all_ends_and_leaves_its_job_to_the_lease(
    side: OtherSide, worker: Worker, launcher: LauncherProcess, tiny: Path
) -> None:
    begin(side, worker, make_spec(side, tiny, LONG))
    side.refuses = lambda reports: True
    worker.wake()
    assert children_of(launcher.pid) == []
    assert not side._ends()
    side.refuses = lambda reports: False
    side.queue(make_spec(side, tiny, job="ftjob-2"))
    worker.wake()
    finished(side)
