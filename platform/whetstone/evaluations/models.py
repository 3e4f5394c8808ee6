"""Evaluations: a model's answers to a dataset, scored by an evaluator, and what was trained on before."""

from django.db import models

from whetstone.datasets.models import DatasetVersion
from whetstone.jobs.models import Job


class Evaluation(models.Model):
    """What an evaluation has beside its job. `evaluations.launch` makes it, `evaluations.numbers` fills it."""

    job = models.OneToOneField(Job, primary_key=True, on_delete=models.CASCADE, related_name="evaluation")
    identity = models.CharField(max_length=64, db_index=True)
    """A hash of all that its result hangs on: two that are alike need not both be carried out."""
    subject = models.CharField(max_length=64, db_index=True)
    """The same without the model: those that are alike can be compared."""
    numbers = models.JSONField(null=True)
    """What it came to, counted once when it is first asked for after its end."""

    class Meta:
        ordering = ["-job__created_at", "-job_id"]

    def __str__(self) -> str:
        return self.job_id


class Overlap(models.Model):
    """Which rows of one dataset version ask what another one asks, too. Neither ever changes: counted once."""

    evaluated = models.ForeignKey(DatasetVersion, on_delete=models.CASCADE, related_name="+")
    trained = models.ForeignKey(DatasetVersion, on_delete=models.CASCADE, related_name="+")
    rows = models.JSONField(default=list)
    """Their numbers in the evaluated one, counted from 0."""

    class Meta:
        constraints = [models.UniqueConstraint(fields=["evaluated", "trained"], name="one_overlap_per_pair")]
