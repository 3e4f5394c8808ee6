"""Telling workers that there is work. A hint: the database is the truth, and the supervisor repeats it."""

import logging
import queue
import threading
import time
from collections import defaultdict

from celery import Celery
from django.conf import settings
from django.db import transaction

from contracts.queue import WAKE_TASK, WakeUp, queue_of
from whetstone import clock
from whetstone.jobs.models import Job

log = logging.getLogger(__name__)
MOST_AT_ONCE = 4
PAUSE_S = 0.2
"""While which the next ones gather: each costs as much as a tenth of creating its job. The first goes out at once."""
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
    wake_when_committed(job)


def wake_when_committed(job: Job) -> None:
    transaction.on_commit(lambda: _waker.wake(job.id, job.pool), robust=True)


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


class _Waker:
    """Sends wake-ups beside the requests that cause them, which need not wait for a broker.

    Of those that gather meanwhile a pool gets a few: a worker that is awake looks until nothing waits, and one that
    nobody woke looks every few seconds.
    """

    def __init__(self) -> None:
        self._due: queue.SimpleQueue[tuple[str, str]] = queue.SimpleQueue()
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None

    def wake(self, job_id: str, pool: str) -> None:
        self._due.put((pool, job_id))
        with self._starting:
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._send_all, name="wake-ups", daemon=True)
                self._thread.start()

    def _send_all(self) -> None:
        while True:
            due: dict[str, list[str]] = defaultdict(list)
            while not due or not self._due.empty():
                pool, job_id = self._due.get()
                due[pool].append(job_id)
            for pool, jobs in due.items():
                for job_id in jobs[:MOST_AT_ONCE]:
                    wake(job_id, pool)
            time.sleep(PAUSE_S)


_waker = _Waker()
