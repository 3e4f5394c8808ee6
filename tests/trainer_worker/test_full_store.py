"""The platform's disk is full: files wait, the job says so, and nothing is lost when there is room again."""

import threading
import time
from pathlib import Path

from contracts.event import CheckpointSaved, LogLines
from tests.trainer_worker.jobs import full, make_spec
from tests.trainer_worker.other_side import OtherSide
from tests.trainer_worker.test_attempts import finished
from tests.trainer_worker.test_orders import begin
from tests.trainer_worker.test_outages import steps
from trainer_worker.assignment import Assignment
from trainer_worker.checkpoints import seal
from trainer_worker.client import AttemptPlatform
from trainer_worker.uploads import Uploads
from trainer_worker.worker import Worker


def notes(side: OtherSide) -> str:
    return "\n".join(event.text for event in side.events("log"))


def test_a_job_waits_for_room_and_says_so(side: OtherSide, worker: Worker, tiny: Path) -> None:
    side.is_full = True
    begin(side, worker, make_spec(side, tiny, full(max_steps=6, checkpoint_interval=2)))
    side.wait_for(lambda s: "The platform's disk is full" in notes(s))
    assert not side.events("checkpoint")
    side.is_full = False
    finished(side)
    assert steps(side) == [1, 2, 3, 4, 5, 6]
    assert [event.step for event in side.events("checkpoint")] == [2, 4, 6]
    assert notes(side).count("The platform's disk is full") == 1
    assert notes(side).count("There is room again") == 1


def test_a_file_that_waited_too_long_ends_the_attempt(side: OtherSide, tiny: Path, tmp_path: Path) -> None:
    spec = make_spec(side, tiny)
    assignment = Assignment(
        spec=spec, attempt=1, worker="w", folder=tmp_path / "a" / "b" / "c", model=tiny, training=tmp_path / "t",
        validation=None, resume=None, trained_tokens=0, threads=1,
    )  # fmt: skip
    saved = [checkpoint(assignment, step) for step in (1, 2)]
    side.is_full = True
    side.tokens[spec.job] = "claim"
    uploads = Uploads(AttemptPlatform(side.url, spec.job, "claim"), assignment, patience_s=0.3)
    for event in saved:
        uploads.put(event)
    until_done(uploads)
    assert uploads.failed
    assert (uploads.failed.code, uploads.failed.cause) == ("platform.disk_full", "platform")
    assert "weights.bin" in (uploads.failed.evidence or "")
    assert "507" in (uploads.failed.evidence or "")
    assert isinstance(uploads.notes()[0], LogLines)
    assert assignment.checkpoint(2).exists()
    uploads.close()


def test_whoever_waits_for_room_stops_when_told(side: OtherSide, worker: Worker, tiny: Path) -> None:
    side.is_full = True
    begin(side, worker, make_spec(side, tiny, full(max_steps=3)))
    side.wait_for(lambda s: "The platform's disk is full" in notes(s))
    stopper = threading.Thread(target=worker.stop_at_once)
    stopper.start()
    assert side.wait_for_end().type == "stopped"


def checkpoint(assignment: Assignment, step: int) -> CheckpointSaved:
    folder = assignment.checkpoint(step)
    folder.mkdir(parents=True)
    (folder / "weights.bin").write_bytes(b"weights of %d" % step)
    return CheckpointSaved(step=step, files=seal(folder, step))


def until_done(uploads: Uploads, patience_s: float = 10) -> None:
    deadline = time.monotonic() + patience_s
    while uploads.pending:
        assert time.monotonic() < deadline
        uploads.finished()
        time.sleep(0.02)
