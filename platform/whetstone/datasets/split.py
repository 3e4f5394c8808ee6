"""Taking held-out rows aside by a rule: the hash of a row's prompt decides, so that nothing is left to luck.

Rows with the same prompt fall on the same side, the same file is always split alike, and rows that are added later
move none of the others.
"""

import hashlib
import tempfile
from array import array
from collections.abc import Iterator
from contextlib import ExitStack
from typing import IO, Literal, NamedTuple

import orjson
from django.db import transaction

from contracts.dataset import PreparedRow
from contracts.fault import Fault
from whetstone.accounts.models import User
from whetstone.accounts.scope import owned
from whetstone.artifacts.disk import require_room
from whetstone.artifacts.store import open_blob, put
from whetstone.datasets.keep import Contents, keep, scanned
from whetstone.datasets.lines import BYTE_ORDER_MARK, rows_of
from whetstone.datasets.models import DatasetVersion
from whetstone.datasets.scan import scan
from whetstone.datasets.statistics import prove, read

Side = Literal["train", "held-out"]
PLACES = 2**48  # a float holds each of them exactly


class Split(NamedTuple):
    """Two datasets, and the share of all prompts that was held out."""

    training: DatasetVersion
    held_out: DatasetVersion
    share: float


def place_of(row: PreparedRow) -> float:
    """Where a prompt stands between 0 and 1: the first 48 bits of its SHA-256."""
    turns = [[turn.role, turn.content] for turn in row.prompt]
    return int.from_bytes(hashlib.sha256(orjson.dumps(turns)).digest()[:6], "big") / PLACES


def split_by_share(user: User, version: DatasetVersion, share: float) -> Split:
    """Hold out the prompts that stand below `share`: about that share of them, and exactly these for ever.

    Raises:
        Fault: dataset.not_mapped, dataset.split_empty, platform.disk_low.
    """
    return _split(user, version, _places(version), share)


def split_by_rows(user: User, version: DatasetVersion, rows: int) -> Split:
    """Hold out as many rows as asked for, or the few less that keep equal prompts together.

    Raises:
        Fault: dataset.not_mapped, dataset.split_empty, platform.disk_low.
    """
    places = _places(version)
    ordered = sorted(places)
    return _split(user, version, places, ordered[rows] if rows < len(ordered) else 1.0)


def other_part(version: DatasetVersion) -> DatasetVersion | None:
    """What was split off together with this version, as far as it is still there."""
    if not version.origin:
        return None
    side, share = version.origin["side"], version.origin["share"]
    parts = owned(DatasetVersion, version.team).select_related("dataset").filter(origin__id=version.origin["id"])
    return next((part for part in parts if part.origin["side"] != side and part.origin["share"] == share), None)


def _places(version: DatasetVersion) -> "array[float]":
    """Of every row, 8 bytes each."""
    if not version.shape:
        raise Fault("dataset.not_mapped", field="dataset", dataset=str(version))
    mapping = version.column_mapping
    with open_blob(version.blob) as file:
        rows = (row for _line, _offset, _raw, row in rows_of(file))
        return array("d", (place_of(read(row, mapping, number)) for number, row in enumerate(rows, 1)))


def _split(user: User, version: DatasetVersion, places: "array[float]", share: float) -> Split:
    require_room()
    held_out = sum(place < share for place in places)
    if held_out in (0, len(places)):
        raise Fault("dataset.split_empty", rows=len(places), prompts=len(set(places)))
    with ExitStack() as files:
        training, kept_aside = (files.enter_context(tempfile.TemporaryFile()) for _ in range(2))
        for place, line in zip(places, _lines(version), strict=True):
            (kept_aside if place < share else training).write(line)
        parts: tuple[tuple[Side, IO[bytes]], ...] = (("train", training), ("held-out", kept_aside))
        contents = [_contents(version, file, side, share) for side, file in parts]
    with transaction.atomic():
        made = [keep(user, version.team, _name(version, each.origin["side"]), each) for each in contents]
    return Split(made[0], made[1], share)


def _lines(version: DatasetVersion) -> Iterator[bytes]:
    with open_blob(version.blob) as file:
        for _number, _offset, line, _row in rows_of(file):
            yield line.removeprefix(BYTE_ORDER_MARK).rstrip(b"\r\n") + b"\n"


def _contents(version: DatasetVersion, file: IO[bytes], side: Side, share: float) -> Contents:
    file.seek(0)
    found = scan(file)
    file.seek(0)
    answers = prove(file, version.column_mapping)
    file.seek(0)
    filename = f"{_name(version, side)}.jsonl"
    origin = {"dataset": str(version), "id": version.id, "side": side, "share": share}
    facts = scanned(put(version.team, file), found, filename, version.purpose)
    return Contents(**facts, mapping=version.column_mapping, answers=answers, origin=origin)


def _name(version: DatasetVersion, side: Side) -> str:
    """Within the longest name that a dataset may have."""
    return f"{version.dataset.name[: 128 - len(side) - 1]}-{side}"
