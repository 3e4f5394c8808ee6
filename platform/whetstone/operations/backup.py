"""A backup: every row of the database as it was at one moment, and which files belong to them, in one tar.

The form is the same on SQLite and PostgreSQL, so that a laptop's platform can move to a server.
"""

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any

import orjson
from django.apps import apps
from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.models import Session
from django.core import serializers
from django.core.files.storage import default_storage
from django.db import connection, models, transaction
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone

from whetstone.artifacts.models import Blob
from whetstone.operations.archive import ABOUT, FILES, FORMAT, INDEX, ROWS, Writer

NOT_KEPT = (ContentType, Permission, Session)
"""What migrations write by themselves, and who is logged in."""
BATCH = 500


@dataclass(frozen=True)
class BackedUp:
    """What went into a backup."""

    rows: int
    files: int
    size: int
    """Bytes of all files that the index names."""
    missing: tuple[str, ...] = ()
    """Places in the store where a file should have been and was not, or was another than it should."""


def back_up(target: Path, with_artifacts: bool) -> BackedUp:
    """Write the backup; nobody has to stop for it. It has its name only once it is whole."""
    draft = target.with_name(f"{target.name}.part")
    try:
        with tempfile.TemporaryDirectory(dir=target.parent) as folder, Writer(draft) as tar:
            rows, index = Path(folder) / ROWS, Path(folder) / INDEX
            with one_moment():
                about = {"format": FORMAT, "at": timezone.now(), "migrations": migrations()}
                count = _write_rows(rows)
                blobs = _write_index(index)
            tar.add_text(ABOUT, orjson.dumps(about))
            tar.add_file(ROWS, rows)
            tar.add_file(INDEX, index)
            missing = tuple(_add_files(tar, blobs)) if with_artifacts else ()
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)
    return BackedUp(count, len(blobs), sum(blob.size for blob in blobs), missing)


@contextmanager
def one_moment() -> Iterator[None]:
    """Reads inside see the database as it is at the first of them, and hold nobody up.

    Django would begin with IMMEDIATE on SQLite, which keeps every writer out.
    """
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("BEGIN DEFERRED")
            try:
                yield
            finally:
                cursor.execute("ROLLBACK")
        return
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        yield


def kept_models() -> list[type[models.Model]]:
    return [model for model in apps.get_models() if model not in NOT_KEPT]


def migrations() -> list[str]:
    """What the database's schema was made by."""
    return sorted(f"{app}.{name}" for app, name in MigrationRecorder(connection).applied_migrations())


def _write_rows(path: Path) -> int:
    count = 0
    with path.open("wb") as file:
        for model in kept_models():
            rows = model._base_manager.order_by("pk").iterator(chunk_size=BATCH)
            while batch := list(islice(rows, BATCH)):
                count += len(batch)
                for row in serializers.serialize("python", batch):
                    file.write(_line(row) + b"\n")
    return count


def _line(row: Any) -> bytes:  # Any: a row as Django's serializer writes it
    try:
        return orjson.dumps(row)
    except TypeError:  # PostgreSQL gives 1e22 back as a whole number of 23 digits: more than orjson writes
        return json.dumps(row, default=datetime.isoformat).encode()


def _write_index(path: Path) -> list[Blob]:
    blobs = list(Blob.objects.order_by("pk"))
    lines = [{"place": blob.place, "sha256": blob.sha256, "size": blob.size} for blob in blobs]
    path.write_bytes(b"".join(orjson.dumps(line) + b"\n" for line in lines))
    return blobs


def _add_files(tar: Writer, blobs: list[Blob]) -> Iterator[str]:
    """Yields the places that hold no file, or another than they should."""
    for blob in blobs:
        try:
            with default_storage.open(blob.place, "rb") as content:
                if content.size == blob.size and tar.add(FILES + blob.place, content, blob.size) == blob.sha256:
                    continue
        except FileNotFoundError:
            pass
        yield blob.place
