"""Files that come in parts, in any order and several at once: each part is on disk before it is named."""

import hashlib
import shutil
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path, PurePath

from django.conf import settings
from django.core.files.uploadedfile import TemporaryUploadedFile, UploadedFile
from django.db.models import Sum
from django.utils import timezone

from contracts.fault import Fault
from whetstone.accounts.models import Team, User
from whetstone.accounts.scope import owned
from whetstone.artifacts.disk import require_room
from whetstone.datasets.ingest import ingest
from whetstone.datasets.models import DatasetVersion, Upload, UploadPart

LASTS = timedelta(hours=1)
REMEMBERED = timedelta(days=1)
"""How long an upload that is over can still be asked for: a retry wants the same answer."""
CHUNK = 1024 * 1024
MB = 1024 * 1024


def begin(user: User, team: Team, *, size: int, filename: str, purpose: str, file_lasts_s: int | None = None) -> Upload:
    """Raises Fault upload.too_large or platform.disk_low."""
    require_room()
    limit_mb = settings.ENVIRONMENT.max_parts_mb
    if size > limit_mb * MB:
        raise Fault("upload.too_large", field="bytes", limit_mb=limit_mb)
    return Upload.objects.create(
        team=team,
        created_by=user,
        bytes=size,
        filename=filename,
        purpose=purpose,
        file_lasts_s=file_lasts_s,
        expires_at=timezone.now() + LASTS,
    )


def status_of(upload: Upload) -> str:
    is_late = upload.status == Upload.Status.PENDING and upload.expires_at <= timezone.now()
    return "expired" if is_late else upload.status


def add_part(upload: Upload, data: "UploadedFile[bytes]") -> UploadPart:
    """Raises Fault upload.not_pending, upload.wrong_parts or platform.disk_low."""
    _require_pending(upload)
    require_room()
    came = upload.parts.aggregate(sum=Sum("size"))["sum"] or 0
    size = data.size or 0
    if came + size > upload.bytes:
        raise Fault("upload.wrong_parts", field="data", detail=f"{came + size} > {upload.bytes}")
    part = UploadPart(upload=upload, size=size)
    place = _place(upload, part.id)
    place.parent.mkdir(parents=True, exist_ok=True)
    with place.open("wb") as target:
        for chunk in data.chunks(CHUNK):
            target.write(chunk)
    part.save(force_insert=True)
    return part


def complete(upload: Upload, part_ids: Sequence[str], md5: str | None) -> Upload:
    """Put the parts together in this order, and take the file in. A second time it is the same file.

    Raises:
        Fault: upload.not_pending, upload.wrong_parts, upload.wrong_md5, and what `ingest` raises; the upload is pending
            as before.
    """
    if upload.status == Upload.Status.COMPLETED:
        return upload
    _require_pending(upload)
    mine = owned(Upload, upload.team).filter(id=upload.id, status=Upload.Status.PENDING)
    if not mine.filter(is_being_completed=False).update(is_being_completed=True):
        raise Fault("upload.not_pending", field="upload_id", status="being completed")
    try:
        file = _file(upload, part_ids, md5)
    except BaseException:
        mine.update(is_being_completed=False)
        raise
    mine.update(status=Upload.Status.COMPLETED, file=file)
    _forget_parts(upload)
    return owned(Upload, upload.team).select_related("team", "file").get(id=upload.id)


def _file(upload: Upload, part_ids: Sequence[str], md5: str | None) -> DatasetVersion:
    sizes = dict(upload.parts.values_list("id", "size"))
    if missing := [part for part in part_ids if part not in sizes] or len(set(part_ids)) < len(part_ids):
        raise Fault("upload.wrong_parts", field="part_ids", detail=str(missing))
    if (came := sum(sizes[part] for part in part_ids)) != upload.bytes:
        raise Fault("upload.wrong_parts", field="part_ids", detail=f"{came} ≠ {upload.bytes}")
    expires_at = timezone.now() + timedelta(seconds=upload.file_lasts_s) if upload.file_lasts_s else None
    with TemporaryUploadedFile(upload.filename, "application/jsonl", upload.bytes, None) as whole:
        digest = hashlib.md5(usedforsecurity=False)
        for part in part_ids:
            with _place(upload, part).open("rb") as content:
                while chunk := content.read(CHUNK):
                    digest.update(chunk)
                    whole.write(chunk)
        if md5 is not None and digest.hexdigest() != md5.lower():
            raise Fault("upload.wrong_md5", field="md5", found=digest.hexdigest())
        name = (PurePath(upload.filename).stem or "upload")[:128]
        limit_mb = settings.ENVIRONMENT.max_parts_mb
        about = {"name": name, "purpose": upload.purpose}
        return ingest(upload.created_by, upload.team, whole, **about, expires_at=expires_at, limit_mb=limit_mb)


def cancel(upload: Upload) -> Upload:
    """Raises Fault upload.not_pending."""
    _require_pending(upload)
    mine = owned(Upload, upload.team).filter(id=upload.id, status=Upload.Status.PENDING, is_being_completed=False)
    if not mine.update(status=Upload.Status.CANCELLED):
        raise Fault("upload.not_pending", field="upload_id", status="being completed")
    upload.status = Upload.Status.CANCELLED
    _forget_parts(upload)
    return upload


def forget_uploads() -> None:
    """Parts of what came to nothing go after their hour, the uploads themselves after a day."""
    now = timezone.now()
    for upload in Upload.objects.filter(expires_at__lt=now - LASTS, parts__isnull=False).distinct():
        _forget_parts(upload)
    old = Upload.objects.filter(expires_at__lt=now - REMEMBERED)
    if old.exists():  # looked at first: a delete takes SQLite's one lock
        old.delete()


def _require_pending(upload: Upload) -> None:
    if (status := status_of(upload)) != Upload.Status.PENDING:
        raise Fault("upload.not_pending", field="upload_id", status=status)


def _forget_parts(upload: Upload) -> None:
    shutil.rmtree(_folder(upload), ignore_errors=True)
    upload.parts.all().delete()


def _place(upload: Upload, part_id: str) -> Path:
    return _folder(upload) / part_id


def _folder(upload: Upload) -> Path:
    return Path(settings.FILE_UPLOAD_TEMP_DIR) / "uploads" / upload.id
