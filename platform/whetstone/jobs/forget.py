"""The one way in which events go."""

from django.db import transaction
from django.db.models import F, QuerySet

from whetstone.jobs.models import Event, Job


@transaction.atomic
def forget(job_id: str, events: "QuerySet[Event]") -> int:
    """Take events of a job back. They are counted, so that what is missing besides them is noticed."""
    count, _ = events.filter(job_id=job_id).delete()
    if count:
        Job.objects.filter(id=job_id).update(forgotten_events=F("forgotten_events") + count)
    return count
