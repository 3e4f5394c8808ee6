"""The data hub: datasets and their immutable versions."""

from django.db import models
from django.utils import timezone

from contracts.dataset import ColumnMapping
from contracts.job import DatasetRef
from whetstone.accounts.ids import new_id
from whetstone.accounts.models import Owned, User
from whetstone.artifacts.models import Blob
from whetstone.datasets.answers import Answers


def new_file_id() -> str:
    return new_id("file")


class Dataset(Owned):
    """Rows under a name; what they are stands in the versions."""

    name = models.CharField(max_length=128)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["team", "name"], name="one_dataset_per_name")]

    def __str__(self) -> str:
        return self.name


class DatasetVersion(Owned):
    """One file with one column mapping. Never changes; a new mapping or file makes the next version."""

    id = models.CharField(max_length=64, primary_key=True, default=new_file_id, editable=False)
    dataset = models.ForeignKey(Dataset, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    blob = models.ForeignKey(Blob, on_delete=models.PROTECT, related_name="+")
    filename = models.CharField(max_length=256)
    purpose = models.CharField(max_length=32, default="fine-tune")
    mapping = models.JSONField(default=dict)
    shape = models.CharField(max_length=16, blank=True)
    """`chat`, `prompt`, `preference`, `labelled`, or empty while the columns are not mapped."""
    rows = models.PositiveIntegerField()
    columns = models.JSONField(default=list)
    """Names of the columns, in the order of their first appearance."""
    statistics = models.JSONField(default=dict)
    """Of the file (`lines`) and of what its rows hold (`answers`)."""
    offsets = models.JSONField(default=list)
    """Byte position of every 1000th row: how the viewer finds a row without reading the file."""
    origin = models.JSONField(default=dict)
    """For one side of a split: what it was split from, which side it is, and at which share."""
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True, db_index=True)
    """When housekeeping deletes it, unless a job uses it."""

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [models.UniqueConstraint(fields=["dataset", "number"], name="one_dataset_version_per_number")]

    def __str__(self) -> str:
        return f"{self.dataset.name}@{self.number}"

    @property
    def column_mapping(self) -> ColumnMapping:
        return ColumnMapping.model_validate(self.mapping)

    @property
    def lines(self) -> dict[str, int | None]:
        return {name: self.statistics.get(name) for name in ("bytes", "longest_line", "duplicates")}

    @property
    def answers(self) -> Answers:
        """What was counted. A version that was made before something was counted says 0 of it."""
        return Answers.model_validate({k: v for k, v in self.statistics.items() if k in Answers.model_fields})

    @property
    def item_names(self) -> tuple[str, ...]:
        """What a grader may read as `item.<name>`."""
        return self.column_mapping.item_names(tuple(self.columns))

    def ref(self) -> DatasetRef:
        file = self.blob.ref(self.filename)
        return DatasetRef(id=self.id, file=file, mapping=self.column_mapping, rows=self.rows)


def new_upload_id() -> str:
    return new_id("upload")


def new_part_id() -> str:
    return new_id("part")


class Upload(Owned):
    """A file that comes in parts. They lie on disk until it is complete. See `datasets.uploads`."""

    class Status(models.TextChoices):
        PENDING = "pending"
        COMPLETED = "completed"
        CANCELLED = "cancelled"

    id = models.CharField(max_length=64, primary_key=True, default=new_upload_id, editable=False)
    created_by = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    status = models.CharField(max_length=16, choices=Status.choices, default=Status.PENDING)
    is_being_completed = models.BooleanField(default=False)
    bytes = models.BigIntegerField()
    filename = models.CharField(max_length=256)
    purpose = models.CharField(max_length=32)
    file_lasts_s = models.PositiveIntegerField(null=True)
    """How long the file is kept once it is complete."""
    file = models.ForeignKey(DatasetVersion, null=True, on_delete=models.SET_NULL, related_name="+")


class UploadPart(models.Model):
    id = models.CharField(max_length=64, primary_key=True, default=new_part_id, editable=False)
    upload = models.ForeignKey(Upload, on_delete=models.CASCADE, related_name="parts")
    size = models.BigIntegerField()
    created_at = models.DateTimeField(default=timezone.now)
