"""Taking a file in: it is read to its end before anything is kept."""

from datetime import datetime
from typing import IO, cast

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile

from contracts.dataset import ColumnMapping, guesses
from contracts.fault import Fault
from whetstone.accounts.models import Team, User
from whetstone.artifacts.disk import require_room
from whetstone.artifacts.store import put
from whetstone.datasets.answers import Answers
from whetstone.datasets.keep import Contents, keep, scanned
from whetstone.datasets.models import DatasetVersion
from whetstone.datasets.scan import CONVERSATIONS, Scan, scan
from whetstone.datasets.statistics import prove


def ingest(
    user: User,
    team: Team,
    upload: "UploadedFile[bytes]",
    *,
    name: str,
    purpose: str = "fine-tune",
    expires_at: datetime | None = None,
    limit_mb: int | None = None,
) -> DatasetVersion:
    """Keep an uploaded JSONL file as the next version of the dataset of this name.

    `limit_mb`: other than the one for files that come in one piece.

    Raises:
        Fault: dataset.too_large, dataset.broken_line, dataset.empty, platform.disk_low; nothing of the file stays
            behind.
    """
    require_room()
    limit_mb = limit_mb or settings.ENVIRONMENT.max_upload_mb
    if upload.size is not None and upload.size > limit_mb * 1024 * 1024:
        raise Fault("dataset.too_large", field="file", limit_mb=limit_mb)
    source = cast(IO[bytes], upload.file)
    source.seek(0)
    found = scan(source)
    source.seek(0)
    facts = scanned(put(team, source), found, upload.name or name, purpose)
    mapping, answers = _guess(source, found)
    return keep(user, team, name, Contents(**facts, mapping=mapping, answers=answers, expires_at=expires_at))


def _guess(source: IO[bytes], found: Scan) -> tuple[ColumnMapping, Answers]:
    """The first mapping that the columns' names suggest and every row keeps; else a person has to say."""
    for mapping in guesses(tuple(found.columns)):
        if mapping == CONVERSATIONS:  # proved while the file was scanned
            return mapping, found.chats.found()
        source.seek(0)
        try:
            return mapping, prove(source, mapping)
        except Fault:
            continue
    return ColumnMapping(), Answers()
