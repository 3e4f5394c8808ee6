"""Telling workers that there is work. A hint: the database is the truth, and the supervisor repeats it."""

import logging

from celery import Celery
from django.conf import settings
from django.db import transaction

from contracts.queue import WAKE_TASK, WakeUp, queue_of
from whetstone import clock
from whetstone.jobs.models import Job

log = logging.getLogger(__name__)
broker = Celery("whetstone", broker=settings.ENVIRONMENT.broker, set_as_current=False)
broker.conf.update(
    task_serializer="json",
    accept_content=["json"],
    task_ignore_result=True,
    broker_connection_timeout=3,
)


def wake_later(job: Job) -> None:
    """Wake the job's pool once this transaction is committed."""
    Job.objects.filter(id=job.id).update(woken_at=clock.now())
    transaction.on_commit(lambda: wake(job.id, job.pool), robust=True)


def wake(job_id: str, pool: str) -> None:
    """Send the wake-up. A broker that is away is no error: the supervisor wakes again."""
    try:
        broker.send_task(
            WAKE_TASK,
            kwargs=WakeUp(job=job_id).model_dump(),
            queue=queue_of(pool),
            retry=False,
            ignore_result=True,
        )
    except Exception as error:  # whatever the broker's driver raises, the job stands in the database
        log.warning("job=%s could not wake pool %s: %s", job_id, pool, error)
