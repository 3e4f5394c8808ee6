"""Deliveries are made of what stands in the jobs' events: nothing is lost when a process dies, and jobs know nothing
of webhooks."""

import orjson
from django.db import transaction
from django.db.models import F, Min, Q

from whetstone.jobs.models import Event, Job
from whetstone.webhooks.models import Cursor, Delivery, Endpoint

MOST_JOBS = 200
STATUSES = ("succeeded", "failed", "cancelled", "paused")


def notice() -> None:
    """One look at all jobs that have told something since the last one."""
    for team, since in Endpoint.objects.order_by().values_list("team").annotate(Min("created_at")):
        jobs = Job.objects.filter(team=team, kind=Job.Kind.TRAINING).filter(
            Q(finished_at=None) | Q(finished_at__gte=since)
        )
        news = jobs.filter(Q(webhook_cursor=None) | Q(last_event__gt=F("webhook_cursor__number")))
        for job_id in news.order_by("created_at").values_list("id", flat=True)[:MOST_JOBS]:
            _look_through(job_id)


@transaction.atomic
def _look_through(job_id: str) -> None:
    """Numbers of events are given under the job's lock: what is above the cursor is new, and nothing below it is."""
    Cursor.objects.get_or_create(job_id=job_id)
    cursor = Cursor.objects.select_for_update().get(job_id=job_id)
    job = Job.objects.get(id=job_id)
    told = job.events.filter(number__gt=cursor.number, number__lte=job.last_event, type__in=("status", "checkpoint"))
    endpoints = list(Endpoint.objects.filter(team=job.team_id))
    new = [
        Delivery(endpoint=endpoint, event=event_id(event), type=kind, body=body_of(event, kind))
        for event in told.order_by("number")
        if (kind := type_of(event))
        for endpoint in endpoints
        if kind in endpoint.event_types and event.at >= endpoint.created_at
    ]
    Delivery.objects.bulk_create(new, ignore_conflicts=True)
    cursor.number = job.last_event
    cursor.save(update_fields=["number"])


def type_of(event: Event) -> str | None:
    """None for what nobody is told of."""
    if event.type == "checkpoint":
        return "fine_tuning.job.checkpoint"
    return f"fine_tuning.job.{event.data['to']}" if event.data["to"] in STATUSES else None


def event_id(event: Event) -> str:
    return f"evt_{event.job_id.removeprefix('ftjob-')}-{event.number}"


def body_of(event: Event, kind: str) -> str:
    data: dict[str, object] = {"id": event.job_id} | ({"step": event.step} if event.step is not None else {})
    return message(event_id(event), kind, int(event.at.timestamp()), data)


def message(event: str, kind: str, at: int, data: dict[str, object]) -> str:
    """OpenAI's form. It says what happened to which job; the rest is asked for, with a key."""
    return orjson.dumps({"id": event, "object": "event", "type": kind, "created_at": at, "data": data}).decode()
