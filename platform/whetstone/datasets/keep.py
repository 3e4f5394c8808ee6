"""The one way a version of a dataset comes to be."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import transaction

from contracts.dataset import ColumnMapping
from contracts.fault import Fault
from whetstone.accounts.models import Team, User
from whetstone.artifacts.models import Blob
from whetstone.datasets.answers import Answers
from whetstone.datasets.models import Dataset, DatasetVersion
from whetstone.datasets.scan import Scan


@dataclass(frozen=True)
class Contents:
    """A file that was read, and what its columns are."""

    blob: Blob
    filename: str
    purpose: str
    rows: int
    columns: list[str]
    offsets: list[int]
    lines: dict[str, Any]
    """Statistics of the file itself: `bytes`, `longest_line`, `duplicates`."""
    mapping: ColumnMapping
    answers: Answers
    origin: dict[str, Any] = field(default_factory=dict)
    expires_at: datetime | None = None

    @property
    def shape(self) -> str:
        return self.mapping.shape(is_answered=self.answers.answered == self.rows) or ""


def scanned(blob: Blob, found: Scan, filename: str, purpose: str) -> dict[str, Any]:
    """What a scan says of a file's contents."""
    lines = {"bytes": blob.size, "longest_line": found.longest_line, "duplicates": found.duplicates}
    columns = list(found.columns)
    return {"blob": blob, "filename": filename, "purpose": purpose, "lines": lines} | {
        "rows": found.rows,
        "columns": columns,
        "offsets": found.offsets,
    }


@transaction.atomic
def keep(user: User, team: Team, name: str, contents: Contents) -> DatasetVersion:
    """The next version of the dataset of this name, which is made when there is none."""
    dataset, _ = Dataset.objects.select_for_update().get_or_create(team=team, name=name)
    return _create(user, dataset, contents)


@transaction.atomic
def keep_after(user: User, version: DatasetVersion, contents: Contents) -> DatasetVersion:
    """The next version of the same dataset. Raises Fault dataset.not_found when it was deleted meanwhile."""
    dataset = Dataset.objects.select_for_update().filter(id=version.dataset_id).first()
    if dataset is None:
        raise Fault("dataset.not_found", field="dataset", dataset=str(version))
    return _create(user, dataset, contents)


def _create(user: User, dataset: Dataset, contents: Contents) -> DatasetVersion:
    newest = dataset.versions.order_by("-number").first()
    return DatasetVersion.objects.create(
        team=dataset.team,
        dataset=dataset,
        number=newest.number + 1 if newest else 1,
        blob=contents.blob,
        filename=contents.filename,
        purpose=contents.purpose,
        mapping=contents.mapping.model_dump(mode="json"),
        shape=contents.shape,
        rows=contents.rows,
        columns=contents.columns,
        statistics=contents.lines | contents.answers.model_dump(mode="json"),
        offsets=contents.offsets,
        origin=contents.origin,
        expires_at=contents.expires_at,
        created_by=user,
    )
