"""Models that are served, and the machines whose engines hold them."""

from datetime import timedelta

from django.db import models
from django.db.models import Q

from contracts.fault import FaultReport
from contracts.job import FileRef, ModelRef
from contracts.resource import Machine
from contracts.serving import Counts
from whetstone.accounts.ids import new_id
from whetstone.accounts.models import Owned, User
from whetstone.modelhub.models import FILES, Model

SILENT_AFTER = timedelta(seconds=60)
"""A host attends every five seconds. What one holds that does not is given to others."""
IDLE_S = 600
TOTALS = ("requests", "errors", "cancelled", "prompt_tokens", "tokens", "scores")


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
    """A model under the name by which it is asked. `states.move` takes it from state to state."""

    class Status(models.TextChoices):
        QUEUED = "queued"
        """It waits for a host with room."""
        LOADING = "loading"
        READY = "ready"
        STOPPING = "stopping"
        """It writes to the end what it has begun, and takes nothing new."""
        STOPPED = "stopped"
        FAILED = "failed"

    class Reason(models.TextChoices):
        """Why it came into its state."""

        ASKED = "asked"
        STARTED = "started"
        GIVEN = "given"
        LOADED = "loaded"
        IDLE = "idle"
        STOPPED = "stopped"
        LET_GO = "let_go"
        HOST_SILENT = "host_silent"
        HOST_LEAVING = "host_leaving"
        HOST_FORGOT = "host_forgot"
        FAILED = "failed"
        RETRIED = "retried"

    id = models.CharField(max_length=64, primary_key=True, default=new_deployment_id, editable=False)
    name = models.CharField(max_length=256)
    serves = models.CharField(max_length=256)
    """The model, or the checkpoint, by its own name."""
    source = models.ForeignKey(Model, null=True, on_delete=models.CASCADE, related_name="deployments")
    """None for a checkpoint that is no model of its own."""
    model = models.JSONField()
    """contracts.job.ModelRef: its files as they were when it was started. The base's, where an adapter is laid over."""
    adapter = models.JSONField(default=list)
    """The adapter's files; empty for a whole model."""
    shares_base = models.BooleanField(default=False)
    """Whether the adapter alone is loaded, beside others of the same base, though it was merged once."""
    created_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    """None when it began with a request for the model: then it comes and goes on demand."""
    pool = models.CharField(max_length=64, blank=True)
    """Empty: any that has room."""
    status = models.CharField(max_length=16, choices=Status.choices, default=Status.QUEUED)
    reason = models.CharField(max_length=16, choices=Reason.choices, default=Reason.ASKED)
    is_wanted = models.BooleanField(default=True)
    """Whether it shall run. One that idles too long, or that somebody stopped, no longer shall."""
    is_off = models.BooleanField(default=False)
    """Somebody stopped it: it is not loaded when it is asked."""
    idle_s = models.PositiveIntegerField(null=True, default=IDLE_S)
    """None: it stays loaded, and is loaded again by itself."""
    fault = models.JSONField(null=True)
    host = models.ForeignKey(Host, null=True, on_delete=models.SET_NULL, related_name="deployments")
    loads = models.PositiveIntegerField(default=0)
    """How often a host was given it: who holds it is known by this number."""
    token_hash = models.CharField(max_length=64, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    changed_at = models.DateTimeField()
    """When it came into its present state."""
    asked_at = models.DateTimeField()
    running = models.PositiveIntegerField(default=0)
    waiting = models.PositiveIntegerField(default=0)
    counted = models.JSONField(default=dict)
    """contracts.serving.Counts of its present host."""
    counted_before = models.JSONField(default=dict)
    """The same, summed up over all hosts that had it before."""
    log = models.TextField(blank=True)
    """The engine's last lines."""

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
    def scores(self) -> bool:
        """Whether it is a reward model. Any other writes text."""
        return self.ref.task == "reward"

    @property
    def adapter_files(self) -> tuple[FileRef, ...]:
        return FILES.validate_python(self.adapter)

    @property
    def fault_report(self) -> FaultReport | None:
        return FaultReport.model_validate(self.fault) if self.fault else None

    @property
    def is_on_demand(self) -> bool:
        return self.created_by_id is None

    @property
    def is_held(self) -> bool:
        return self.status in (self.Status.LOADING, self.Status.READY, self.Status.STOPPING)

    @property
    def counts(self) -> Counts:
        """Since it began. Its speed is that of its present host."""
        now, before = (Counts.model_validate(one) for one in (self.counted, self.counted_before))
        return added(before, now)


def detail_of(fault: FaultReport | None) -> str:
    """Why it could not be loaded, for a sentence that says that it could not."""
    if fault is None:
        return ""
    return str(fault.params["detail"]) if fault.code == "deployment.failed" else fault.message


def new_serving_test_id() -> str:
    return new_id("svt")


class ServingTest(Owned):
    """How fast a deployment answers while more and more ask at once. A supervisor carries it out: `serving_tests`."""

    class State(models.TextChoices):
        QUEUED = "queued"
        RUNNING = "running"
        SUCCEEDED = "succeeded"
        FAILED = "failed"
        CANCELLED = "cancelled"

    id = models.CharField(max_length=64, primary_key=True, default=new_serving_test_id, editable=False)
    deployment = models.ForeignKey(Deployment, on_delete=models.CASCADE, related_name="serving_tests")
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True)
    plan = models.JSONField()
    """deployments.measure.ServingPlan."""
    model = models.CharField(max_length=256)
    """What the deployment served then."""
    host = models.CharField(max_length=128, blank=True)
    """Where it was served then."""
    state = models.CharField(max_length=16, choices=State.choices, default=State.QUEUED)
    results = models.JSONField(default=list)
    """deployments.measure.ServingLevel, one for each number of requests at once, as soon as it is measured."""
    fault = models.JSONField(null=True)
    attempt = models.PositiveIntegerField(default=0)
    """Who holds it: a process whose number is older has lost it."""
    lease_until = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-created_at", "-id"]
        indexes = [
            models.Index(fields=["created_at"], condition=Q(state__in=("queued", "running")), name="serving_test_due")
        ]

    def __str__(self) -> str:
        return self.id

    @property
    def has_ended(self) -> bool:
        return self.state not in (self.State.QUEUED, self.State.RUNNING)

    @property
    def fault_report(self) -> FaultReport | None:
        return FaultReport.model_validate(self.fault) if self.fault else None


def added(before: Counts, now: Counts) -> Counts:
    """Totals of both, and the speed of the later one."""
    first = before.first_token_ms if now.first_token_ms is None else now.first_token_ms
    totals = {name: getattr(before, name) + getattr(now, name) for name in TOTALS}
    return now.model_copy(update=totals | {"first_token_ms": first})
