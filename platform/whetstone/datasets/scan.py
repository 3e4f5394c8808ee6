"""A first pass over the lines of a file, with flat memory, before anything is kept."""

from dataclasses import dataclass, field
from typing import IO

from pydantic import JsonValue

from contracts.dataset import guess_mapping, prepare
from contracts.fault import Fault
from whetstone.datasets.lines import MOST_COLUMNS, ROWS_PER_OFFSET, rows_of
from whetstone.datasets.statistics import Tally

LONGEST_NAME = 256
CONVERSATIONS = guess_mapping(("messages",))
DUPLICATES_UP_TO = 200_000  # rows whose hashes are kept: memory stays flat beyond


@dataclass
class Scan:
    """What one pass over the lines found."""

    rows: int = 0
    columns: dict[str, None] = field(default_factory=dict)
    offsets: list[int] = field(default_factory=list)
    longest_line: int = 0
    chats: Tally = field(default_factory=Tally)
    """The rows' `messages`, where they have them."""
    _duplicates: int = 0
    _seen: set[int] = field(default_factory=set)

    def add(self, offset: int, line: bytes, row: dict[str, JsonValue]) -> None:
        if self.rows % ROWS_PER_OFFSET == 0:
            self.offsets.append(offset)
        self.rows += 1
        self.longest_line = max(self.longest_line, len(line))
        self.columns.update(dict.fromkeys(row))
        if len(self._seen) < DUPLICATES_UP_TO:
            fingerprint = hash(line)
            self._duplicates += fingerprint in self._seen
            self._seen.add(fingerprint)

    @property
    def duplicates(self) -> int | None:
        """None for a file that was too long to count them."""
        return self._duplicates if self.rows <= DUPLICATES_UP_TO else None


def scan(file: IO[bytes]) -> Scan:
    """Raises Fault dataset.broken_line or dataset.empty."""
    found = Scan()
    for number, offset, line, row in rows_of(file):
        _check_columns(number, row.keys() - found.columns.keys(), len(found.columns))
        _check_messages(number, row, found)
        found.add(offset, line, row)
    if found.rows == 0:
        raise Fault("dataset.empty")
    return found


def _check_columns(number: int, new: set[str], known: int) -> None:
    if known + len(new) > MOST_COLUMNS:
        detail = f"a new column; the file has {MOST_COLUMNS} already"
        raise Fault("dataset.broken_line", line=number, detail=detail)
    if any(len(name) > LONGEST_NAME or "\0" in name for name in new):
        detail = f"the name of a column is longer than {LONGEST_NAME} characters, or holds a null character"
        raise Fault("dataset.broken_line", line=number, detail=detail)


def _check_messages(number: int, row: dict[str, JsonValue], found: Scan) -> None:
    """A file of conversations is one in every line: better known now than when a GPU is waiting."""
    if "messages" not in row and "messages" not in found.columns:
        return
    if found.rows and "messages" not in found.columns:
        raise Fault("dataset.broken_line", line=number, detail="“messages”, which the lines before do not have")
    try:
        found.chats.add(prepare(row, CONVERSATIONS))
    except ValueError as error:
        raise Fault("dataset.broken_line", line=number, detail=str(error)) from None
