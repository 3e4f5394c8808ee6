"""Who wants to hear of jobs, what was sent to them, and how far each job's events were looked through."""

from datetime import datetime, timedelta

from django.db import models
from django.db.models import Q
from django.utils import timezone

from whetstone.accounts.ids import new_id
from whetstone.accounts.models import Owned, User
from whetstone.jobs.models import Job

EVENT_TYPES = (
    "fine_tuning.job.succeeded",
    "fine_tuning.job.failed",
    "fine_tuning.job.cancelled",
    "fine_tuning.job.paused",
    "fine_tuning.job.checkpoint",
)
"""OpenAI's first; the last two are ours."""
GIVE_UP_AFTER = timedelta(hours=72)


def new_endpoint_id() -> str:
    return new_id("we")


def new_delivery_id() -> str:
    return new_id("whd")


def in_72_hours() -> datetime:
    return timezone.now() + GIVE_UP_AFTER


class Endpoint(Owned):
    """An address that is told of jobs."""

    id = models.CharField(max_length=64, primary_key=True, default=new_endpoint_id, editable=False)
    name = models.CharField(max_length=128)
    url = models.URLField(max_length=1024)
    event_types = models.JSONField(default=list)
    sealed = models.TextField()
    """The secret that its deliveries are signed with."""
    hint = models.CharField(max_length=32)
    former = models.TextField(blank=True)
    """The secret before, sealed: signs beside the new one for a while."""
    former_until = models.DateTimeField(null=True)
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-created_at", "-id"]

    def __str__(self) -> str:
        return self.name


class Delivery(models.Model):
    """One event for one endpoint: sent until somebody takes it, or 72 hours are over."""

    class State(models.TextChoices):
        WAITING = "waiting"
        DELIVERED = "delivered"
        FAILED = "failed"

    id = models.CharField(max_length=64, primary_key=True, default=new_delivery_id, editable=False)
    endpoint = models.ForeignKey(Endpoint, on_delete=models.CASCADE, related_name="deliveries")
    event = models.CharField(max_length=96)
    """The message's id: the same for every try and every endpoint, so that a receiver knows what it has."""
    type = models.CharField(max_length=64)
    body = models.TextField()
    """What is sent, to the byte: the signature is of it."""
    created_at = models.DateTimeField(default=timezone.now)
    state = models.CharField(max_length=16, choices=State.choices, default=State.WAITING)
    attempts = models.PositiveIntegerField(default=0)
    next_at = models.DateTimeField(default=timezone.now)
    """When it is tried next. Taking it up moves this on, so that no two supervisors send it at once."""
    give_up_at = models.DateTimeField(default=in_72_hours)
    last_at = models.DateTimeField(null=True)
    last_status = models.PositiveIntegerField(null=True)
    last_error = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["-created_at", "-id"]
        indexes = [
            models.Index(fields=["next_at"], condition=Q(state="waiting"), name="delivery_due"),
            models.Index(fields=["endpoint", "-created_at"], name="delivery_newest_first"),
        ]
        constraints = [models.UniqueConstraint(fields=["endpoint", "event"], name="one_delivery_per_event")]

    def __str__(self) -> str:
        return self.id


class Cursor(models.Model):
    """The last event of a job that deliveries were made of."""

    job = models.OneToOneField(Job, on_delete=models.CASCADE, related_name="webhook_cursor")
    number = models.PositiveBigIntegerField(default=0)
