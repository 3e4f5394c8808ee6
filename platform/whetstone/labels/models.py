"""Labels: what people said of answers, each on its way into a version of a dataset."""

from django.db import models
from django.utils import timezone

from whetstone.accounts.ids import new_id
from whetstone.accounts.models import Owned, User
from whetstone.labels.said import Saying


def new_label_id() -> str:
    return new_id("label")


class Label(Owned):
    """One person's word on one answer or pair. Said again it is changed, and taken back it is withdrawn."""

    id = models.CharField(max_length=64, primary_key=True, default=new_label_id, editable=False)
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    dataset = models.CharField(max_length=128)
    """The name of the dataset whose next version it goes into. It is made when there is none."""
    kind = models.CharField(max_length=16)
    verdict = models.CharField(max_length=16)
    key = models.CharField(max_length=64)
    """What it is about: see `Saying.key`. Its row in the dataset bears it."""
    prompt_key = models.CharField(max_length=64)
    saying = models.JSONField()
    is_new = models.BooleanField(default=True)
    """Said, changed or withdrawn since the last version was made of its dataset."""
    was_published = models.BooleanField(default=False)
    """Whether a version was made that knows it."""
    is_withdrawn = models.BooleanField(default=False)
    """Taken back after a version held it. Its row leaves with the next one, and so does this."""
    revision = models.PositiveIntegerField(default=1)
    """Counts the changes, so that what changes while a version is made stays new."""
    created_at = models.DateTimeField(default=timezone.now)
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["-changed_at", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["team", "dataset", "user", "key"], name="one_label_per_person"),
        ]
        indexes = [
            models.Index(fields=["team", "dataset", "key"], name="labels_by_what_they_say"),
            models.Index(fields=["team", "dataset"], name="labels_that_are_new", condition=models.Q(is_new=True)),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.verdict}"

    @property
    def said(self) -> Saying:
        return Saying.model_validate(self.saying)
