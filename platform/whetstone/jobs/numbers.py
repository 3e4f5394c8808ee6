"""The jobs of all teams, as numbers for those who run the platform."""

from datetime import datetime

from django.db.models import Count, Min, Sum

from whetstone.jobs.models import Attempt, Job


def by_status() -> dict[str, int]:
    counts = dict(Job.objects.order_by().values_list("status").annotate(Count("id")))
    return {status: counts.get(status, 0) for status in Job.Status.values}


def waiting_since() -> dict[str, datetime]:
    """When the oldest job that waits was made, by pool."""
    waiting = Job.objects.filter(status=Job.Status.QUEUED).order_by()
    return dict(waiting.values_list("pool").annotate(Min("created_at")))


def events_told() -> int:
    return Job.objects.aggregate(told=Sum("last_event"))["told"] or 0


def leases_expired() -> int:
    """How many attempts ended because their worker fell silent."""
    return Attempt.objects.filter(fault__code="job.worker_lost").count()
