"""A backup, put into an empty platform."""

import hashlib
import tarfile
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import groupby, islice
from pathlib import Path
from typing import IO, Any, cast

import orjson
from django.apps import apps
from django.core import serializers
from django.core.files import File
from django.core.files.storage import default_storage
from django.core.management.color import no_style
from django.db import connection, models, transaction
from django.utils import timezone

from whetstone.accounts.models import User
from whetstone.artifacts.models import Blob
from whetstone.jobs.models import Event, Job
from whetstone.jobs.states import move
from whetstone.operations.backup import ABOUT, BATCH, FILES, FORMAT, INDEX, NOT_KEPT, ROWS, kept_models, migrations

CHUNK = 1024 * 1024
GOES_ON = {"": "queued", "cancel": "cancelled", "pause": "paused"}
IN_BATCHES: tuple[type[models.Model], ...] = (Event,)
"""The one long table; the others' dates would be set anew by Django's bulk_create."""


class CannotRestore(Exception):
    """The backup does not go in here, for a reason that the message says. Nothing was changed."""


@dataclass(frozen=True)
class Restored:
    """What came out of a backup."""

    rows: int
    files: int
    queued: int
    """Jobs that ran when the backup was made."""
    missing: tuple[str, ...]
    """What the artifact store lacks now, a sentence each."""


def restore(source: Path, force: bool) -> Restored:
    """Put a backup into this database and this artifact store.

    Raises:
        CannotRestore: the file is no backup or of another version, or the database is not empty and `force` is not
            set; nothing was changed.
    """
    try:
        tar = tarfile.open(source)  # noqa: SIM115 - closed below
    except (OSError, tarfile.TarError) as error:
        raise CannotRestore(f"{source} cannot be read as a backup: {error}.") from None
    with closing(tar):
        _check(tar, source, force)
        with transaction.atomic():
            empty()
            rows = _load(_lines(tar, ROWS))
            queued = _give_up_running()
        for entry in tar:
            if entry.isfile() and entry.name.startswith(FILES):
                _put(entry.name.removeprefix(FILES), cast(IO[bytes], tar.extractfile(entry)))
        index = list(_lines(tar, INDEX))
    return Restored(rows, len(index), queued, tuple(_missing(index)))


def _check(tar: tarfile.TarFile, source: Path, force: bool) -> None:
    try:
        about = next(_lines(tar, ABOUT))
    except (KeyError, ValueError, StopIteration):
        raise CannotRestore(f"{source} is no backup of Whetstone.") from None
    if about["format"] != FORMAT or about["migrations"] != migrations():
        raise CannotRestore("The backup is of another version of Whetstone. Restore it with that one, then upgrade.")
    if not force and (User.objects.exists() or Job.objects.exists() or Blob.objects.exists()):
        raise CannotRestore("This platform is not empty. Restore into a new home, or replace what is here: --force.")


def _lines(tar: tarfile.TarFile, name: str) -> Iterator[Any]:
    with cast(IO[bytes], tar.extractfile(name)) as file:
        for line in file:
            yield orjson.loads(line)


@transaction.atomic
def empty() -> None:
    """Constraints are checked at the end of the transaction, so the order does not matter."""
    for model in apps.get_models(include_auto_created=True):
        if model not in NOT_KEPT:
            with connection.cursor() as cursor:
                cursor.execute(f"DELETE FROM {connection.ops.quote_name(model._meta.db_table)}")


def _load(rows: Iterator[Any]) -> int:
    count = 0
    for name, of_model in groupby(rows, key=lambda row: row["model"]):
        while batch := list(islice(of_model, BATCH)):
            count += len(batch)
            _save(apps.get_model(name), serializers.deserialize("python", batch))
    for statement in connection.ops.sequence_reset_sql(no_style(), kept_models()):
        with connection.cursor() as cursor:
            cursor.execute(statement)
    return count


def _save(model: type[models.Model], rows: Iterable[Any]) -> None:
    if model in IN_BATCHES:
        model._base_manager.bulk_create([row.object for row in rows])
        return
    for row in rows:
        row.save(force_insert=True)


def _give_up_running() -> int:
    """Their workers know a platform that has gone on since: what runs begins again at its last checkpoint."""
    running = list(Job.objects.select_for_update(of=("self",)).filter(status=Job.Status.RUNNING))
    for job in running:
        move(job, cast(Any, GOES_ON[job.wish]), reason="restored from a backup")
    Job.objects.filter(status=Job.Status.QUEUED).update(woken_at=timezone.now())
    return len(running)


def _put(place: str, content: IO[bytes]) -> None:
    """Over what lies there: a restore of the same backup may have broken off."""
    default_storage.save(place, File(content, name=place))


def _missing(index: list[dict[str, Any]]) -> Iterator[str]:
    for entry in index:
        place = entry["place"]
        if not default_storage.exists(place):
            yield f"{place} is not there"
        elif _hash(place) != entry["sha256"]:
            yield f"{place} has another content than its name says"


def _hash(place: str) -> str:
    digest = hashlib.sha256()
    with default_storage.open(place, "rb") as content:
        while chunk := content.read(CHUNK):
            digest.update(chunk)
    return digest.hexdigest()
