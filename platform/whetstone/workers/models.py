"""Machines that carry out jobs. They serve every team, so no team owns them."""

from datetime import timedelta

from django.db import models

from contracts.resource import Machine
from whetstone import clock

SILENT_AFTER = timedelta(seconds=60)


class Worker(models.Model):
    """A worker as it last presented itself."""

    name = models.CharField(max_length=128, unique=True)
    pool = models.CharField(max_length=64)
    machine = models.JSONField()
    free_memory_gb = models.FloatField(null=True)
    joined_at = models.DateTimeField(auto_now_add=True)
    seen_at = models.DateTimeField()

    class Meta:
        ordering = ["pool", "name"]

    def __str__(self) -> str:
        return self.name

    @property
    def specs(self) -> Machine:
        return Machine.model_validate(self.machine)

    @property
    def is_alive(self) -> bool:
        return clock.now() - self.seen_at < SILENT_AFTER
