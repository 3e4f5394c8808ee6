"""Events on disk between the training process, which appends, and the reporter, which reads and ships."""

import os
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from contracts.event import WorkerEvent

EVENT: TypeAdapter[Any] = TypeAdapter(WorkerEvent)  # Any: an annotated union has no static type


class SpoolWriter:
    """Appends one event a line. A line counts once its newline is written; half a line is taken back."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("ab", buffering=0)

    def append(self, event: WorkerEvent) -> None:
        line = event.model_dump_json().encode() + b"\n"
        written = 0
        try:
            while written < len(line):  # a disk that fills up takes a part, and refuses at the next try
                written += self._file.write(line[written:])
        except OSError:
            if written:
                os.truncate(self._file.fileno(), os.fstat(self._file.fileno()).st_size - written)
            raise


class Tail:
    """Reads whole lines that were added to a file since the last look. A torn last line waits for its end."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = 0

    def lines(self, at_most: int = 1 << 20) -> list[bytes]:
        """Whole new lines, without their newline, of the next `at_most` bytes."""
        if not self._path.exists():
            return []
        with self._path.open("rb") as file:
            file.seek(self._offset)
            data = file.read(at_most)
        whole, newline, _ = data.rpartition(b"\n")
        if not newline and len(data) == at_most:
            whole = data  # a line longer than we ever read at once is passed on in pieces
        elif not newline:
            return []
        self._offset += len(whole) + len(newline)
        return whole.split(b"\n")


class SpoolReader:
    """The reporter's side of the spool."""

    def __init__(self, path: Path) -> None:
        self._tail = Tail(path)

    def events(self) -> list[WorkerEvent]:
        """Events appended since the last call."""
        return [EVENT.validate_json(line) for line in self._tail.lines(at_most=1 << 24)]
