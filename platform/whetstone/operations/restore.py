"""A backup, put into an empty platform."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby, islice
from pathlib import Path
from typing import Any, cast

from django.apps import apps
from django.core import serializers
from django.core.files import File
from django.core.files.storage import default_storage
from django.core.management import call_command
from django.core.management.color import no_style
from django.core.serializers.base import DeserializationError
from django.db import DatabaseError, connection, models, transaction
from django.utils import timezone

from whetstone.accounts.models import User
from whetstone.artifacts.models import Blob
from whetstone.jobs.models import Event, Job
from whetstone.jobs.states import move
from whetstone.operations.archive import Archive, CannotRestore, opened, sha256_of
from whetstone.operations.backup import BATCH, NOT_KEPT, kept_models, migrations

GOES_ON = {"": "queued", "cancel": "cancelled", "pause": "paused"}
IN_BATCHES: tuple[type[models.Model], ...] = (Event,)
"""The one long table; the others' dates would be set anew by Django's bulk_create."""


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
        CannotRestore: the file is damaged, no backup or of another version, or the database is not empty and `force`
            is not set. No row was changed.
    """
    with opened(source) as archive:
        call_command("migrate", verbosity=0, interactive=False)
        _check(archive, force)
        _put_files(archive)
        rows, queued = _replace_rows(archive)
    return Restored(rows, len(archive.index), queued, tuple(_missing(archive.index)))


def _check(archive: Archive, force: bool) -> None:
    if archive.migrations != migrations():
        raise CannotRestore("The backup is of another version of Whetstone. Restore it with that one, then upgrade.")
    if not force and (User.objects.exists() or Job.objects.exists() or Blob.objects.exists()):
        raise CannotRestore("This platform is not empty. Restore into a new home, or replace what is here: --force.")


def _put_files(archive: Archive) -> None:
    """Over what lies there: each has its content's hash for a name, and a restore before may have broken off."""
    try:
        for place, content in archive.files():
            default_storage.save(place, File(content, name=place))
    except OSError as error:
        raise CannotRestore(f"The files of the backup could not be stored: {error}. No row was changed.") from None


def _replace_rows(archive: Archive) -> tuple[int, int]:
    """How many rows there are now, and how many jobs ran when the backup was made."""
    try:
        with transaction.atomic():
            empty()
            return _load(archive.rows()), _give_up_running()
    except (DatabaseError, DeserializationError) as error:
        raise CannotRestore(f"The database does not take the backup's rows: {error}. No row was changed.") from error


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


def _missing(index: list[dict[str, Any]]) -> Iterator[str]:
    for entry in index:
        place = entry["place"]
        if not default_storage.exists(place):
            yield f"{place} is not there"
        else:
            with default_storage.open(place, "rb") as content:
                if sha256_of(content) != entry["sha256"]:
                    yield f"{place} has another content than its name says"
