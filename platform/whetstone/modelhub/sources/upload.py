"""Models that somebody sends: each file grows at its end, so that a client that broke off goes on where it was."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import IO

from contracts.fault import Fault
from whetstone.modelhub.models import ImportFile
from whetstone.modelhub.sources import Listing, Tell


class Upload:
    """What was sent, in the import's own folder."""

    def __init__(self, work: Path) -> None:
        self._work = work

    def listing(self) -> Listing:
        """Never asked: an upload is announced file by file."""
        return Listing()

    @contextmanager
    def open(self, path: str, size: int, tell: Tell) -> Iterator[IO[bytes]]:
        part = _place(self._work, path)
        if received(self._work, path) != size:
            raise Fault("hub.torn", file=path, detail=f"{received(self._work, path)} of {size} bytes are there")
        if not size:
            part.touch()  # nobody sends a part of nothing
        with part.open("rb") as content:
            yield content


def append(work: Path, file: ImportFile, offset: int, content: bytes) -> int:
    """How many bytes of the file are there now. Raises Fault upload.wrong_place, which says where to go on."""
    work.mkdir(parents=True, exist_ok=True)
    with _place(work, file.path).open("ab") as target:
        fcntl.flock(target, fcntl.LOCK_EX)
        there = target.seek(0, 2)  # another request may have written since it was opened
        if offset != there or there + len(content) > file.size:
            raise Fault("upload.wrong_place", field="offset", file=file.path, received=there, offset=offset)
        target.write(content)
        return target.tell()


def received(work: Path, path: str) -> int:
    """Bytes of the file that have come."""
    try:
        return _place(work, path).stat().st_size
    except FileNotFoundError:
        return 0


def _place(work: Path, path: str) -> Path:
    """Under a name that no client has chosen."""
    return work / sha256(path.encode()).hexdigest()[:32]
