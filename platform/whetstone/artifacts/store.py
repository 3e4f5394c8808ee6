"""The artifact store: put a file in, read it again. A folder on a laptop, S3 in production."""

import hashlib
import os
import tempfile
from collections.abc import AsyncIterator, Iterable
from datetime import datetime
from pathlib import Path
from typing import IO, Protocol, cast

from asgiref.sync import sync_to_async
from django.conf import settings
from django.core.files import File
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import ProtectedError
from django.utils import timezone

from contracts.job import FileRef
from whetstone.accounts.models import Team
from whetstone.accounts.scope import owned
from whetstone.artifacts.models import Blob

CHUNK = 1024 * 1024


class Corrupt(Exception):
    """The bytes that arrived are not those that were announced."""


class Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


class _Incoming(File):  # type: ignore[type-arg]  # Django's File is generic in the stubs alone
    """A finished local file: a store on the same disk moves it instead of copying."""

    def temporary_file_path(self) -> str:
        return str(self.name)


def put(team: Team, source: Readable, sha256: str | None = None) -> Blob:
    """Store what `source` holds, a chunk at a time.

    Raises:
        Corrupt: the content has another hash than `sha256`; nothing is kept.
    """
    handle, path = tempfile.mkstemp(dir=settings.FILE_UPLOAD_TEMP_DIR)
    try:
        with os.fdopen(handle, "wb") as target:
            digest, size = _copy(source, target)
            target.flush()
            os.fsync(target.fileno())
        if sha256 is not None and digest != sha256:
            raise Corrupt(f"expected {sha256}, got {digest}")
        return _keep(team, Path(path), digest, size)
    finally:
        Path(path).unlink(missing_ok=True)


def put_bytes(team: Team, content: bytes) -> Blob:
    """Store a small file."""
    from io import BytesIO

    return put(team, BytesIO(content))


def _copy(source: Readable, target: IO[bytes]) -> tuple[str, int]:
    digest, size = hashlib.sha256(), 0
    while chunk := source.read(CHUNK):
        digest.update(chunk)
        size += len(chunk)
        target.write(chunk)
    return digest.hexdigest(), size


def _keep(team: Team, path: Path, sha256: str, size: int) -> Blob:
    if blob := renew(team, sha256):
        return blob
    draft = Blob(team=team, sha256=sha256, size=size)
    with path.open("rb") as content:  # over what a crash may have left half written
        default_storage.save(draft.place, _Incoming(content, name=str(path)))
    kept, _ = Blob.objects.get_or_create(team=team, sha256=sha256, defaults={"size": size})
    return kept


def renew(team: Team, sha256: str) -> Blob | None:
    """The blob, when it is there: housekeeping leaves it alone until whoever asked had the time to name it."""
    renewed = owned(Blob, team).filter(sha256=sha256).update(created_at=timezone.now())
    blob = find(team, sha256) if renewed else None
    return blob if blob and is_whole(blob) else None


def is_whole(blob: Blob) -> bool:
    """Whether the store still holds all of it. A disk that filled up or lost power may have kept a part."""
    try:
        return default_storage.size(blob.place) == blob.size
    except FileNotFoundError:
        return False


@transaction.atomic
def discard(blob_id: int, before: datetime) -> None:
    """Delete a blob that nobody has renewed since `before`.

    The file goes while the row is locked: whoever stores the same content now waits, and then stores it anew.
    """
    blob = Blob.objects.select_for_update().filter(id=blob_id, created_at__lt=before).first()
    if blob is None:
        return
    try:
        blob.delete()
    except ProtectedError:
        return  # a dataset was made of it meanwhile
    default_storage.delete(blob.place)


def find(team: Team, sha256: str) -> Blob | None:
    return owned(Blob, team).filter(sha256=sha256).first()


def missing(team: Team, files: Iterable[FileRef]) -> list[FileRef]:
    """Those of the files that the store does not hold."""
    wanted = list(files)
    present = set(owned(Blob, team).filter(sha256__in={f.sha256 for f in wanted}).values_list("sha256", flat=True))
    return [f for f in wanted if f.sha256 not in present]


def open_blob(blob: Blob) -> IO[bytes]:
    return cast(IO[bytes], default_storage.open(blob.place, "rb"))


async def stream(blob: Blob, first: int = 0) -> AsyncIterator[bytes]:
    """The content from byte `first` on in chunks, without holding the event loop: what an ASGI response wants."""
    file = await sync_to_async(open_blob)(blob)
    try:
        if first:
            await sync_to_async(file.seek)(first)
        while chunk := await sync_to_async(file.read)(CHUNK):
            yield chunk
    finally:
        await sync_to_async(file.close)()
