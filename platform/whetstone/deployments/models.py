"""Models that are served, and the machines whose engines hold them."""

from datetime import timedelta

from django.db import models
from django.db.models import Q

from contracts.fault import FaultReport
from contracts.job import ModelRef
from contracts.resource import Machine
from whetstone import clock
from whetstone.accounts.ids import new_id
from whetstone.accounts.models import Owned
from whetstone.modelhub.models import Model

SILENT_AFTER = timedelta(seconds=60)
"""A host attends every five seconds. What one holds that does not is given to others."""
IDLE_S = 600


def new_deployment_id() -> str:
    return new_id("dep")


class Host(models.Model):
    """A program beside engines, as it last presented itself. It serves every team, so no team owns it."""

    name = models.CharField(max_length=128, unique=True)
    pool = models.CharField(max_length=64)
    machine = models.JSONField()
    free_memory_gb = models.FloatField(null=True)
    is_leaving = models.BooleanField(default=False)
    joined_at = models.DateTimeField(auto_now_add=True)
    seen_at = models.DateTimeField()

    class Meta:
        ordering = ["pool", "name"]

    def __str__(self) -> str:
        return self.name

    @property
    def specs(self) -> Machine:
        return Machine.model_validate(self.machine)


class Deployment(Owned):
    """A model under the name by which it is asked. `attend` moves it from state to state."""

    class Status(models.TextChoices):
        QUEUED = "queued"
        """It waits for a host with room."""
        LOADING = "loading"
        READY = "ready"
        STOPPED = "stopped"
        FAILED = "failed"

    id = models.CharField(max_length=64, primary_key=True, default=new_deployment_id, editable=False)
    name = models.CharField(max_length=256)
    source = models.ForeignKey(Model, null=True, on_delete=models.CASCADE, related_name="deployments")
    """None for a checkpoint that is no model of its own."""
    model = models.JSONField()
    """contracts.job.ModelRef: its files as they were when it was started."""
    status = models.CharField(max_length=16, choices=Status.choices, default=Status.QUEUED)
    is_wanted = models.BooleanField(default=True)
    """Whether it shall run. One that idles too long, or that somebody stopped, no longer shall."""
    idle_s = models.PositiveIntegerField(default=IDLE_S)
    fault = models.JSONField(null=True)
    host = models.ForeignKey(Host, null=True, on_delete=models.SET_NULL, related_name="deployments")
    loads = models.PositiveIntegerField(default=0)
    """How often a host was given it: who holds it is known by this number."""
    token_hash = models.CharField(max_length=64, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    changed_at = models.DateTimeField()
    """When it came into its present state."""
    asked_at = models.DateTimeField()

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["team", "name"], name="one_deployment_per_name"),
            models.UniqueConstraint(
                fields=["token_hash"], condition=~Q(token_hash=""), name="one_deployment_per_token"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def ref(self) -> ModelRef:
        return ModelRef.model_validate(self.model)

    @property
    def fault_report(self) -> FaultReport | None:
        return FaultReport.model_validate(self.fault) if self.fault else None

    @property
    def is_held(self) -> bool:
        return self.status in (self.Status.LOADING, self.Status.READY)

    def become(self, status: str, fault: FaultReport | None = None) -> None:
        """The caller holds its row lock, or has just made it."""
        self.status, self.changed_at = status, clock.now()
        self.fault = fault.model_dump(mode="json") if fault else None
        if not self.is_held:
            self.host, self.token_hash = None, ""
        self.save()
