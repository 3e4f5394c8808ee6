"""What happens when nobody reports: leases that ran out end, and jobs that still wait are announced again."""

import logging
import time
from collections import Counter
from datetime import timedelta

from django.db import close_old_connections, transaction

from contracts.fault import FaultReport
from whetstone import clock
from whetstone.jobs.attempts import end_attempt
from whetstone.jobs.claim import lease
from whetstone.jobs.models import Job, Round
from whetstone.jobs.retention import keep_house
from whetstone.jobs.wake import wake
from whetstone.workers.models import Worker
from whetstone.workers.pools import alive

log = logging.getLogger(__name__)
WAKE_AGAIN_AFTER = timedelta(seconds=5)
DEAF_AFTER = timedelta(seconds=45)  # workers present themselves every 15 s
AWAY_AFTER = timedelta(seconds=15)


def supervise() -> None:
    """One round. Any number may run at once: every change is made under the job's row lock."""
    if workers_could_report():
        end_expired_leases()
    wake_again()
    keep_house()


def workers_could_report() -> bool:
    """Whether silence means something: only when the platform was there to listen.

    After a while in which this supervisor did not run or no worker at all was heard, every running job gets a whole
    lease from now on, so that its worker has the time to come back.
    """
    now = clock.now()
    last = Round.objects.filter(id=1).first()
    hears = Worker.objects.filter(seen_at__gt=now - DEAF_AFTER).exists()
    was_deaf = last is None or not last.heard or now - last.at > AWAY_AFTER
    Round.objects.update_or_create(id=1, defaults={"at": now, "heard": hears})
    if hears and was_deaf:
        Job.objects.filter(status=Job.Status.RUNNING).update(lease_until=now + lease())
    return hears and not was_deaf


def end_expired_leases() -> None:
    expired = Job.objects.filter(status=Job.Status.RUNNING, lease_until__lt=clock.now())
    for job_id in expired.values_list("id", flat=True):
        _end_lease(job_id)


@transaction.atomic
def _end_lease(job_id: str) -> None:
    job = Job.objects.select_for_update(of=("self",)).get(id=job_id)
    if job.status != Job.Status.RUNNING or job.lease_until is None or job.lease_until > clock.now():
        return
    log.warning("job=%s attempt=%d fell silent", job.id, job.attempt)
    end_attempt(job, FaultReport(code="job.worker_lost", params={"attempts": job.failures + 1}))


def wake_again() -> None:
    """Announce a job that still waits to each pool with an idle worker: the broker may have lost the message.

    One wake-up a pool is enough, for a woken worker goes on until nothing waits. A busy pool gets none: while it
    trains for hours, the broker would fill with them.
    """
    long_ago = clock.now() - WAKE_AGAIN_AFTER
    waiting = Job.objects.filter(status=Job.Status.QUEUED, woken_at__lt=long_ago).order_by("pool", "created_at")
    for pool in idle_pools():
        job_id = waiting.filter(pool=pool).values_list("id", flat=True).first()
        if job_id is not None:
            Job.objects.filter(id=job_id).update(woken_at=clock.now())
            wake(job_id, pool)


def idle_pools() -> list[str]:
    """Pools with more workers alive than jobs running."""
    workers = Counter(worker.pool for worker in alive())
    busy = Counter(Job.objects.filter(status=Job.Status.RUNNING).values_list("pool", flat=True))
    return sorted(workers - busy)


def run_forever(interval_s: float = 1.0) -> None:
    """The supervisor process."""
    while True:
        try:
            close_old_connections()
            supervise()
        except Exception:  # the supervisor outlives a database that is away for a while
            log.exception("a round of the supervisor failed")
        time.sleep(interval_s)
