"""Saved graders, in numbered versions that never change."""

from django.db import models
from pydantic import TypeAdapter

from graders.schema import Grader
from whetstone.accounts.models import Owned, User

GRADER: TypeAdapter[Grader] = TypeAdapter(Grader)


class Evaluator(Owned):
    """A grader under a name."""

    name = models.CharField(max_length=128)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["team", "name"], name="one_evaluator_per_name")]

    def __str__(self) -> str:
        return self.name


class EvaluatorVersion(Owned):
    """One state of an evaluator: what a job pins."""

    evaluator = models.ForeignKey(Evaluator, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    document = models.JSONField()
    """The grader's JSON."""
    sha256 = models.CharField(max_length=64)
    note = models.CharField(max_length=500, blank=True)
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [models.UniqueConstraint(fields=["evaluator", "number"], name="one_evaluator_version_per_number")]

    def __str__(self) -> str:
        return f"{self.evaluator.name}@{self.number}"

    @property
    def grader(self) -> Grader:
        return GRADER.validate_python(self.document)
