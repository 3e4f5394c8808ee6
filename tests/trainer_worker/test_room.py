"""A worker whose disk was full."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.small_disk import fill, may_mount, small_disk
from trainer_worker import room
from trainer_worker.room import Room


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    with small_disk(tmp_path / "small") as folder:
        yield folder


@may_mount
def test_a_worker_asks_for_no_work_until_there_is_room(small: Path) -> None:
    here = Room(small)
    assert here.is_worth_a_try
    ballast = fill(small, leave=room.LEAST // 2)
    here.was_too_little()
    assert not here.is_worth_a_try
    ballast.unlink()
    assert here.is_worth_a_try


def test_a_worker_asks_again_after_a_while_and_waits_longer_each_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [100.0]
    monkeypatch.setattr("trainer_worker.room.time.monotonic", lambda: clock[0])
    here = Room(tmp_path)
    for rest_s in (*room.REST_S, room.REST_S[-1]):
        here.was_too_little()
        clock[0] += rest_s - 1
        assert not here.is_worth_a_try
        clock[0] += 2
        assert here.is_worth_a_try
    here.was_enough()
    assert here.is_worth_a_try
