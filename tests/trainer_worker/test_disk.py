"""A full disk, for which a small file system in memory stands."""

import errno
import re
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest

from contracts.event import LogLines, Metrics
from tests.small_disk import fill, may_mount, small_disk
from tests.trainer_worker.jobs import full, grpo, make_spec
from tests.trainer_worker.other_side import OtherSide
from tests.trainer_worker.test_orders import begin
from trainer_worker.assignment import Assignment
from trainer_worker.cache import inside
from trainer_worker.disk import is_full, still_needed
from trainer_worker.launching import LauncherProcess
from trainer_worker.rollouts import SCHEMA, RolloutWriter
from trainer_worker.settings import Settings
from trainer_worker.spool import SpoolReader, SpoolWriter
from trainer_worker.worker import Worker

NUMBERS = r"The disk of the worker “worker-1” is full: \d+\.\d MB are free, and the job needs more than \d+\.\d MB\."


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    with small_disk(tmp_path / "small") as folder:
        yield folder


def test_every_library_says_it_in_its_own_way() -> None:
    wrapped = RuntimeError("could not save")
    wrapped.__cause__ = OSError(errno.ENOSPC, "No space left on device")
    assert is_full(wrapped)
    assert is_full(RuntimeError("[enforce fail] PytorchStreamWriter failed writing file data/3"))
    assert is_full(RuntimeError("basic_ios::clear: iostream error"))
    assert is_full(ValueError("Error while serializing: I/O error: No space left on device (os error 28)"))
    assert not is_full(OSError(errno.EACCES, "Permission denied"))


@may_mount
def test_half_a_line_in_the_spool_is_taken_back(small: Path) -> None:
    writer, reader = SpoolWriter(small / "spool"), SpoolReader(small / "spool")
    writer.append(Metrics(step=1, values={}))
    ballast = fill(small, leave=4096)
    with pytest.raises(OSError, match="No space left"):
        writer.append(LogLines(text="x" * 20_000))
    ballast.unlink()
    writer.append(Metrics(step=2, values={}))
    assert reader.events() == [Metrics(step=1, values={}), Metrics(step=2, values={})]


@may_mount
def test_rollouts_that_cannot_be_written_stop_no_training(small: Path, tmp_path: Path) -> None:
    writer = RolloutWriter(small / "rollouts", SpoolWriter(tmp_path / "spool"), [0], 1)
    ballast = fill(small)
    columns = [[1], [0], ["q"], ["a" * 10_000], ["{}"], [1.0], [0.0], [3], [False], ["{}"], [None]]
    writer._rows, writer._steps = [pa.table(columns, schema=SCHEMA)], [1]
    writer.flush()
    assert SpoolReader(tmp_path / "spool").events() == []
    assert list((small / "rollouts").iterdir()) == []
    ballast.unlink()
    writer._rows, writer._steps = [pa.table(columns, schema=SCHEMA)], [2]
    writer.flush()
    assert [event.step for event in SpoolReader(tmp_path / "spool").events()] == [2]  # type: ignore[union-attr]


@may_mount
def test_a_disk_that_is_full_at_a_download_is_named(
    side: OtherSide, settings: Settings, launcher: LauncherProcess, tiny: Path, small: Path
) -> None:
    worker = Worker(replace(settings, scratch=small), launcher=launcher)
    worker.start()
    ballast = fill(small, leave=65536)
    side.queue(make_spec(side, tiny))
    worker.wake()
    failed = side.wait_for_end()
    ballast.unlink()
    worker.stop()
    worker.join()
    assert (failed.fault.code, failed.fault.cause) == ("worker.disk_full", "capacity")
    assert re.fullmatch(NUMBERS, failed.fault.message)
    assert failed.fault.evidence.startswith(str(small))


@may_mount
def test_a_disk_that_fills_up_in_training_is_named_and_earlier_checkpoints_stay(
    side: OtherSide, settings: Settings, launcher: LauncherProcess, tiny: Path, small: Path
) -> None:
    worker = Worker(replace(settings, scratch=small), launcher=launcher)
    worker.start()
    begin(side, worker, make_spec(side, tiny, full(max_steps=2000, n_epochs=50, checkpoint_interval=5)))
    side.wait_for(lambda s: bool(s.events("checkpoint")))
    threading.Thread(target=fill, args=(small,)).start()
    failed = side.wait_for_end()
    worker.stop()
    worker.join()
    assert failed.fault.code == "worker.disk_full", side.log
    assert re.fullmatch(NUMBERS, failed.fault.message)
    assert all(len(side.blobs[ref.sha256]) == ref.size for ref in side.resume_point().files)


@may_mount
def test_a_job_finishes_once_there_is_room_again(
    side: OtherSide, settings: Settings, launcher: LauncherProcess, tiny: Path, small: Path
) -> None:
    worker = Worker(replace(settings, scratch=small), launcher=launcher)
    worker.start()
    begin(side, worker, make_spec(side, tiny, grpo(max_steps=2000, n_epochs=50)))
    ballast = fill(small)
    assert side.wait_for_end().fault.code == "worker.disk_full", side.log
    ballast.unlink()
    side.reports.clear()
    side.queue(make_spec(side, tiny), attempt=2)
    worker.wake()
    assert side.wait_for_end().type == "finished"
    worker.stop()
    worker.join()


def test_what_a_job_still_needs_is_what_it_has_yet_to_bring_and_then_its_model(
    side: OtherSide, tiny: Path, tmp_path: Path
) -> None:
    assignment = Assignment(
        spec=make_spec(side, tiny), attempt=1, worker="worker-1", folder=tmp_path / "a" / "b" / "c",
        model=tmp_path / "base", training=tmp_path / "rows", validation=None, resume=None, trained_tokens=0, threads=1,
    )  # fmt: skip
    model = sum(ref.size for ref in assignment.spec.model.files)
    assert still_needed(assignment) == model + assignment.spec.training.file.size
    for ref in assignment.spec.model.files:
        inside(assignment.model, ref.path).parent.mkdir(parents=True, exist_ok=True)
        inside(assignment.model, ref.path).write_bytes(side.blobs[ref.sha256])
    assert still_needed(assignment) == assignment.spec.training.file.size
    assignment.training.write_bytes(b"rows")
    assert still_needed(assignment) == model
