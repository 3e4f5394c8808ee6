"""Parts of rollouts, kept in the home while they are read: DuckDB reads files again and again, the store may be far."""

import os
import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from django.conf import settings

from contracts.job import FileRef
from whetstone.accounts.models import Team
from whetstone.artifacts.store import find, open_blob

LARGEST = 1 << 30
"""Bytes of all parts that are kept."""
UNREAD_S = 24 * 3600.0
IN_USE_S = 600.0
"""Who asked for a part within this time may be reading it."""


def local(team: Team, refs: Sequence[FileRef]) -> list[Path]:
    """The parts as files of this machine. Raises FileNotFoundError when the store does not hold one of them."""
    missing = [ref for ref in refs if not _is_here(ref)]
    for ref in missing:
        _bring(team, ref)
    if missing:
        prune()
    return [_folder() / ref.sha256 for ref in refs]


def _is_here(ref: FileRef) -> bool:
    """And from now on in use, when it is."""
    try:
        os.utime(_folder() / ref.sha256)
    except FileNotFoundError:
        return False
    return True


def _bring(team: Team, ref: FileRef) -> None:
    path = _folder() / ref.sha256
    path.parent.mkdir(parents=True, exist_ok=True)
    blob = find(team, ref.sha256)
    if blob is None:
        raise FileNotFoundError(ref.sha256)
    with open_blob(blob) as source, tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as target:
        shutil.copyfileobj(source, target)
    Path(target.name).replace(path)


def prune(largest: int = LARGEST) -> None:
    """Delete what nobody has read for a day, and the longest unread beyond a size. The store still holds it."""
    now, kept = time.time(), 0
    for path, read_at, size in sorted(_parts(), key=lambda part: -part[1]):
        kept += size
        if now - read_at > UNREAD_S or (kept > largest and now - read_at > IN_USE_S):
            path.unlink(missing_ok=True)


def _parts() -> Iterator[tuple[Path, float, int]]:
    for path in _folder().glob("*"):
        try:
            found = path.stat()
        except FileNotFoundError:
            continue  # another process prunes, too
        yield path, found.st_mtime, found.st_size


def _folder() -> Path:
    return Path(settings.HOME) / "cache" / "rollouts"
