"""A disk that can be filled up: a small file system in memory."""

import contextlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

may_mount = pytest.mark.skipif(os.geteuid() != 0, reason="needs the right to mount a small file system")


@contextlib.contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    """6 MB at this folder."""
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=6m", "none", str(folder)], check=False)
    if mounted.returncode != 0:
        pytest.skip("cannot mount here")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(folder: Path, leave: int = 0) -> Path:
    """A file that takes all the room but so many bytes."""
    ballast = folder / "ballast"
    room = os.statvfs(folder).f_bavail * os.statvfs(folder).f_frsize
    with contextlib.suppress(OSError):  # a training may take some of the room meanwhile
        ballast.write_bytes(b"x" * max(0, room - leave))
    return ballast
