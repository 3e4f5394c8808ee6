"""A JSONL file, line by line."""

from collections.abc import Iterator
from itertools import islice
from typing import IO, cast

import orjson
from pydantic import JsonValue

from contracts.fault import Fault
from whetstone.artifacts.store import open_blob
from whetstone.datasets.models import DatasetVersion

LONGEST_LINE = 16 * 1024 * 1024
MOST_COLUMNS = 200
MOST_BYTES = 32 * 1024 * 1024
ROWS_PER_OFFSET = 1000
BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def rows_of(file: IO[bytes]) -> Iterator[tuple[int, int, bytes, dict[str, JsonValue]]]:
    """Every row with line number (from 1), byte offset and raw line. Blank lines are passed over.

    Raises:
        Fault: dataset.broken_line, with the line's number and the reason.
    """
    number, offset = 0, 0
    while line := file.readline(LONGEST_LINE + 1):
        number, start, offset = number + 1, offset, offset + len(line)
        if len(line) > LONGEST_LINE:
            raise Fault("dataset.broken_line", line=number, detail="longer than 16 MB")
        if line.strip():
            yield number, start, line, _row(number, line)


def _row(number: int, line: bytes) -> dict[str, JsonValue]:
    text = line.removeprefix(BYTE_ORDER_MARK) if number == 1 else line
    try:
        row = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise Fault("dataset.broken_line", line=number, detail=f"not JSON ({error})") from None
    if not isinstance(row, dict):
        raise Fault("dataset.broken_line", line=number, detail="not an object in braces")
    if not row or len(row) > MOST_COLUMNS:
        raise Fault("dataset.broken_line", line=number, detail=f"{len(row)} columns; 1 to {MOST_COLUMNS} are allowed")
    return cast(dict[str, JsonValue], row)


def read_rows(version: DatasetVersion, offset: int, limit: int) -> list[dict[str, JsonValue]]:
    """Rows `offset` to `offset + limit` without reading what stands before; fewer when they are very large."""
    if offset >= version.rows:
        return []
    with open_blob(version.blob) as file:
        file.seek(version.offsets[offset // ROWS_PER_OFFSET])
        skip = offset % ROWS_PER_OFFSET
        found: list[dict[str, JsonValue]] = []
        size = 0
        for _number, _offset, line, row in islice(rows_of(file), skip, skip + limit):
            size += len(line)
            if found and size > MOST_BYTES:
                break
            found.append(row)
        return found
