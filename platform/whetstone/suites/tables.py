"""The rows of a file as it was published: JSON lines, a JSON list, CSV with or without a header, parquet."""

import csv
import io
import tempfile
from collections.abc import Iterator
from pathlib import PurePath
from typing import IO, cast

import duckdb
import orjson
from pydantic import JsonValue

from contracts.fault import Fault
from whetstone.datasets.lines import rows_of
from whetstone.suites.task import Row

MEMORY = "512MB"
BATCH = 1000
HEADERS = ("question", "prompt", "instruction", "input")
"""One of these names a column in a header; no question is as short."""


def rows(file: IO[bytes], name: str, without_header: tuple[str, ...]) -> Iterator[Row]:
    """`without_header`: what the columns of a CSV are called whose first line names none of them.

    Raises:
        Fault: suite.unreadable, dataset.broken_line.
    """
    ending = PurePath(name).suffix.lower()
    if ending == ".parquet":
        yield from _parquet(file)
    elif ending in (".csv", ".tsv"):
        yield from _csv(file, "\t" if ending == ".tsv" else ",", without_header)
    elif _begins_list(file):
        yield from _list(file)
    else:
        yield from (row for _number, _offset, _line, row in rows_of(file))


def _begins_list(file: IO[bytes]) -> bool:
    start = file.read(64).lstrip(b"\xef\xbb\xbf \t\r\n")
    file.seek(0)
    return start.startswith(b"[")


def _list(file: IO[bytes]) -> Iterator[Row]:
    try:
        found = orjson.loads(file.read())
    except orjson.JSONDecodeError as error:
        raise _unreadable(f"no JSON ({error})") from None
    if not all(isinstance(one, dict) for one in found):
        raise _unreadable("a list whose entries are no objects")
    yield from found


def _csv(file: IO[bytes], delimiter: str, without_header: tuple[str, ...]) -> Iterator[Row]:
    text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="")
    try:
        lines = csv.reader(text, delimiter=delimiter)
        first = next(lines, [])
        has_header = any(name.strip().lower() in HEADERS for name in first)
        names = [name.strip() for name in first] if has_header else list(without_header)
        if not has_header and first:
            yield _named(names, first)
        for line in lines:
            if line:
                yield _named(names, line)
    except (csv.Error, UnicodeDecodeError) as error:
        raise _unreadable(str(error)) from None
    finally:
        text.detach()  # the file is its owner's to close


def _named(names: list[str], line: list[str]) -> Row:
    if len(line) != len(names):
        raise _unreadable(f"a line of {len(line)} fields; {len(names)} were expected: {', '.join(names)}")
    return cast(Row, dict(zip(names, line, strict=True)))


def _parquet(file: IO[bytes]) -> Iterator[Row]:
    with tempfile.NamedTemporaryFile(suffix=".parquet") as copy, duckdb.connect(":memory:") as database:
        while chunk := file.read(1 << 20):
            copy.write(chunk)
        copy.flush()
        database.execute(f"SET memory_limit = '{MEMORY}'")
        try:
            found = database.execute("SELECT to_json(t) FROM read_parquet(?) AS t", [copy.name])
            while batch := found.fetchmany(BATCH):
                yield from (cast(Row, orjson.loads(line)) for (line,) in batch)
        except duckdb.Error as error:
            raise _unreadable(str(error).splitlines()[0]) from None


def _unreadable(detail: str) -> Fault:
    return Fault("suite.unreadable", field="file", detail=detail[:300])


def json_line(row: dict[str, JsonValue]) -> bytes:
    return orjson.dumps(row) + b"\n"
