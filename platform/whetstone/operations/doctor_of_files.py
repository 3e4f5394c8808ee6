"""Do the artifact store and the database agree?"""

import hashlib
from collections.abc import Iterator
from functools import partial

from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import ProtectedError
from django.utils import timezone

from whetstone.artifacts.models import Blob
from whetstone.artifacts.store import CHUNK
from whetstone.jobs.retention import GRACE
from whetstone.modelhub.models import Model
from whetstone.operations.finding import Finding

PUT_BACK = "Put the file back from a backup; or delete what uses it."


def lost_files(deep: bool) -> Iterator[Finding]:
    """Blobs without their file, and files that are not what their blob says."""
    for blob in Blob.objects.order_by("pk").iterator():
        if not default_storage.exists(blob.place):
            if Blob.objects.filter(id=blob.id).exists():  # housekeeping may have come by
                yield Finding("blob without file", blob.place, "is not in the store", PUT_BACK, partial(_forget, blob))
        elif (size := default_storage.size(blob.place)) != blob.size:
            yield Finding("file of wrong size", blob.place, f"has {size} bytes instead of {blob.size}", PUT_BACK)
        elif deep and _hash(blob.place) != blob.sha256:
            yield Finding("file of wrong content", blob.place, "is not the content that its name says", PUT_BACK)


def _hash(place: str) -> str:
    digest = hashlib.sha256()
    with default_storage.open(place, "rb") as content:
        while chunk := content.read(CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


@transaction.atomic
def _forget(blob: Blob) -> bool:
    """Without the row the content can be stored again, and no attempt begins at a checkpoint that lacks it."""
    if default_storage.exists(blob.place):
        return False
    try:
        return Blob.objects.filter(id=blob.id).delete()[0] > 0
    except ProtectedError:
        return False  # a dataset: a person has to put the file back


def files_of_nobody() -> Iterator[Finding]:
    """Files that no blob names. One that was just written may get its row any moment."""
    known = {blob.place for blob in Blob.objects.only("team_id", "sha256").iterator()}
    for place in _files(""):
        if place not in known and timezone.now() - default_storage.get_modified_time(place) > GRACE:
            mend = partial(_remove, place)
            yield Finding("file without blob", place, "is in the store, and nothing knows it", "Delete it.", mend)


def _files(folder: str) -> Iterator[str]:
    try:
        folders, names = default_storage.listdir(folder)
    except FileNotFoundError:
        return  # nothing was ever stored
    yield from (f"{folder}{name}" for name in names)
    for inner in folders:
        yield from _files(f"{folder}{inner}/")


def _remove(place: str) -> bool:
    team, _, sha256 = place.split("/") if place.count("/") == 2 else ("", "", "")
    if team.isdigit() and Blob.objects.filter(team_id=int(team), sha256=sha256).exists():
        return False
    default_storage.delete(place)
    return True


def damaged_models() -> Iterator[Finding]:
    """Models that no job could start from. What is built in may go without weights: they are drawn at random."""
    present = set(Blob.objects.values_list("team_id", "sha256"))
    for model in Model.objects.order_by("pk"):
        if not model.has_weights and model.origin != Model.Origin.BUILT_IN:
            advice = "Import the model again, or clone the job that made it."
            yield Finding("model without weights", model.name, "has no file with weights", advice)
        lost = [file.path for file in model.manifest if (model.team_id, file.sha256) not in present]
        if lost:
            yield Finding(
                "model lacks files", model.name, f"names files that nobody stored: {', '.join(lost)}", PUT_BACK
            )
