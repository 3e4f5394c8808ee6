"""Parts of rollouts that were read are kept near, but not for ever and not without a bound."""

import os
import time
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from contracts.job import FileRef
from tests.whetstone.factories import make_team
from whetstone.artifacts.store import put_bytes
from whetstone.jobs.models import Chore
from whetstone.jobs.parts import local, prune
from whetstone.jobs.retention import keep_house

HOUR, DAY = 3600.0, 24 * 3600.0


def read(content: bytes, ago_s: float = 0) -> Path:
    """A part that somebody read so long ago."""
    (path,) = local(make_team(), [put_bytes(make_team(), content).ref("part.parquet")])
    os.utime(path, (time.time() - ago_s, time.time() - ago_s))
    return path


def test_a_part_is_brought_once_and_what_is_nowhere_is_not_found(home: Path) -> None:
    path = read(b"part", HOUR)
    assert path.read_bytes() == b"part"
    path.write_bytes(b"kept")
    assert read(b"part").read_bytes() == b"kept"
    with pytest.raises(FileNotFoundError):
        local(make_team(), [FileRef(path="x", sha256="0" * 64, size=1)])


def test_what_nobody_has_read_for_a_day_goes_with_the_housekeeping() -> None:
    old, fresh = read(b"old", DAY + HOUR), read(b"fresh", HOUR)
    Chore.objects.update_or_create(name="blobs", defaults={"at": timezone.now() - timedelta(hours=2)})
    keep_house()
    assert (old.exists(), fresh.exists()) == (False, True)


def test_reading_a_part_again_keeps_it() -> None:
    read(b"part", DAY - 1)
    (path,) = local(make_team(), [put_bytes(make_team(), b"part").ref("part.parquet")])
    assert time.time() - path.stat().st_mtime < 60


def test_beyond_a_size_the_longest_unread_go_first_and_nothing_that_is_being_read() -> None:
    parts = [read(bytes([n]) * 100, n * HOUR) for n in range(5)]
    prune(largest=250)
    assert [path.exists() for path in parts] == [True, True, False, False, False]
    prune(largest=0)
    assert [path.exists() for path in parts] == [True, False, False, False, False]
