"""Files too large for the database: datasets, checkpoints, models, rollouts."""

from django.db import models
from django.utils import timezone

from contracts.job import FileRef
from whetstone.accounts.models import Owned


class Blob(Owned):
    """A file in the store, named by its content. The same content is kept once a team."""

    sha256 = models.CharField(max_length=64)
    size = models.BigIntegerField()
    created_at = models.DateTimeField(default=timezone.now)
    """When it was last stored, or a worker that was about to store it heard that it is there."""

    class Meta:
        constraints = [models.UniqueConstraint(fields=["team", "sha256"], name="one_blob_per_content")]

    @property
    def place(self) -> str:
        """Path in the store."""
        return f"{self.team_id}/{self.sha256[:2]}/{self.sha256}"

    def ref(self, path: str) -> FileRef:
        return FileRef(path=path, sha256=self.sha256, size=self.size)
