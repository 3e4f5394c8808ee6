"""Taking a file in: a pass over its lines, with flat memory, before anything is kept."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import IO, cast

import orjson
from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from pydantic import JsonValue

from contracts.dataset import Column, ColumnMapping, Row, Shape, guess_mapping, prepare
from contracts.fault import Fault
from whetstone.accounts.models import Team, User
from whetstone.artifacts.disk import require_room
from whetstone.artifacts.models import Blob
from whetstone.artifacts.store import open_blob, put
from whetstone.datasets.models import Dataset, DatasetVersion

LONGEST_LINE = 16 * 1024 * 1024
MOST_COLUMNS = 200
LONGEST_NAME = 256
MOST_BYTES = 32 * 1024 * 1024
CONVERSATIONS = guess_mapping(("messages",))
ROWS_PER_OFFSET = 1000
DUPLICATES_UP_TO = 200_000  # rows whose hashes are kept: memory stays flat beyond


@dataclass
class Scan:
    """What one pass over the lines found."""

    rows: int = 0
    columns: dict[str, None] = field(default_factory=dict)
    offsets: list[int] = field(default_factory=list)
    duplicates: int = 0
    longest_line: int = 0
    answered: int = 0
    """Rows whose `messages` end with the assistant's turn."""
    _seen: set[int] = field(default_factory=set)

    def add(self, offset: int, line: bytes, row: dict[str, JsonValue]) -> None:
        if self.rows % ROWS_PER_OFFSET == 0:
            self.offsets.append(offset)
        self.rows += 1
        self.longest_line = max(self.longest_line, len(line))
        self.columns.update(dict.fromkeys(row))
        self.answered += _ends_with_answer(row.get("messages"))
        if len(self._seen) < DUPLICATES_UP_TO:
            fingerprint = hash(line)
            self.duplicates += fingerprint in self._seen
            self._seen.add(fingerprint)


def _ends_with_answer(messages: JsonValue) -> bool:
    last = messages[-1] if isinstance(messages, list) and messages else None
    return isinstance(last, dict) and last.get("role") == "assistant"


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
    text = line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line
    try:
        row = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise Fault("dataset.broken_line", line=number, detail=f"not JSON ({error})") from None
    if not isinstance(row, dict):
        raise Fault("dataset.broken_line", line=number, detail="not an object in braces")
    if not row or len(row) > MOST_COLUMNS:
        raise Fault("dataset.broken_line", line=number, detail=f"{len(row)} columns; 1 to {MOST_COLUMNS} are allowed")
    return cast(dict[str, JsonValue], row)


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
        prepare(row, CONVERSATIONS)
    except ValueError as error:
        raise Fault("dataset.broken_line", line=number, detail=str(error)) from None


def ingest(
    user: User, team: Team, upload: "UploadedFile[bytes]", *, name: str, purpose: str = "fine-tune"
) -> DatasetVersion:
    """Keep an uploaded JSONL file as the next version of the dataset of this name.

    Raises:
        Fault: dataset.too_large, dataset.broken_line, dataset.empty, platform.disk_low; nothing of the file stays
            behind.
    """
    require_room()
    limit_mb = settings.ENVIRONMENT.max_upload_mb
    if upload.size is not None and upload.size > limit_mb * 1024 * 1024:
        raise Fault("dataset.too_large", field="file", limit_mb=limit_mb)
    source = cast(IO[bytes], upload.file)
    source.seek(0)
    found = scan(source)
    source.seek(0)
    blob = put(team, source)
    mapping = _guess(source, found)
    return _next_version(user, team, blob, found, mapping, name=name, filename=upload.name or name, purpose=purpose)


def _guess(source: IO[bytes], found: Scan) -> ColumnMapping:
    """The mapping that the columns' names suggest, if every row keeps it; else a person has to say."""
    mapping = guess_mapping(tuple(found.columns))
    if mapping.first("prompt") is None:
        return mapping
    source.seek(0)
    try:
        _prove(source, mapping)
    except Fault:
        return ColumnMapping()
    return mapping


@transaction.atomic
def _next_version(
    user: User,
    team: Team,
    blob: Blob,
    found: Scan,
    mapping: ColumnMapping,
    *,
    name: str,
    filename: str,
    purpose: str,
) -> DatasetVersion:
    dataset, _ = Dataset.objects.select_for_update().get_or_create(team=team, name=name)
    return DatasetVersion.objects.create(
        team=team,
        dataset=dataset,
        number=_next_number(dataset),
        blob=blob,
        filename=filename,
        purpose=purpose,
        mapping=mapping.model_dump(mode="json"),
        shape=_shape(mapping, found.rows, found.answered) or "",
        rows=found.rows,
        columns=list(found.columns),
        statistics={
            "bytes": blob.size,
            "longest_line": found.longest_line,
            "duplicates": found.duplicates if found.rows <= DUPLICATES_UP_TO else None,
            "answered": found.answered,
        },
        offsets=found.offsets,
        created_by=user,
    )


def _shape(mapping: ColumnMapping, rows: int, answered: int) -> Shape | None:
    if not mapping.has_question:
        return None
    if mapping.first("messages"):
        return "chat" if answered == rows else "prompt"
    return "chat" if mapping.first("completion") else "prompt"


def map_columns(user: User, version: DatasetVersion, columns: tuple[Column, ...]) -> DatasetVersion:
    """The same file with another mapping, as the dataset's next version. Every row is read once to prove it.

    Raises:
        Fault: dataset.column_missing, dataset.not_mapped, dataset.row_invalid.
    """
    for column in columns:
        if column.name not in version.columns:
            raise Fault("dataset.column_missing", column=column.name, columns=", ".join(version.columns))
    mapping = ColumnMapping(columns=columns)
    if not mapping.has_question:
        raise Fault("dataset.not_mapped", dataset=str(version))
    with open_blob(version.blob) as file:
        answered = _prove(file, mapping)
    with transaction.atomic():
        dataset = Dataset.objects.select_for_update().filter(id=version.dataset_id).first()
        if dataset is None:  # deleted while its rows were read
            raise Fault("dataset.not_found", field="dataset", dataset=str(version))
        number = _next_number(dataset)
        shape = _shape(mapping, version.rows, answered) or ""
        return DatasetVersion.objects.create(
            team=version.team,
            dataset=dataset,
            number=number,
            blob=version.blob,
            filename=version.filename,
            purpose=version.purpose,
            mapping=mapping.model_dump(mode="json"),
            shape=shape,
            rows=version.rows,
            columns=version.columns,
            statistics=version.statistics | {"answered": answered},
            offsets=version.offsets,
            created_by=user,
        )


def _prove(file: IO[bytes], mapping: ColumnMapping) -> int:
    """Read every row with the mapping; how many of them hold an answer."""
    answered = 0
    for row_number, (_line, _offset, _raw, row) in enumerate(rows_of(file), start=1):
        try:
            answered += prepare(cast(Row, row), mapping).completion is not None
        except ValueError as error:
            raise Fault("dataset.row_invalid", row=row_number, detail=str(error)) from None
    return answered


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


def _next_number(dataset: Dataset) -> int:
    newest = dataset.versions.order_by("-number").first()
    return newest.number + 1 if newest else 1
