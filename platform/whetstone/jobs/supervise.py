"""What happens when nobody reports: leases that ran out end, and jobs that still wait are announced again."""

import logging
import time
from datetime import timedelta

from django.db import close_old_connections, transaction
from django.utils import timezone

from contracts.fault import FaultReport
from whetstone.jobs.models import Job
from whetstone.jobs.record import end_attempt
from whetstone.jobs.wake import wake

log = logging.getLogger(__name__)
WAKE_AGAIN_AFTER = timedelta(seconds=5)


def supervise() -> None:
    """One round. Any number may run at once: every change is made under the job's row lock."""
    end_expired_leases()
    wake_again()


def end_expired_leases() -> None:
    expired = Job.objects.filter(status=Job.Status.RUNNING, lease_until__lt=timezone.now())
    for job_id in expired.values_list("id", flat=True):
        _end_lease(job_id)


@transaction.atomic
def _end_lease(job_id: str) -> None:
    job = Job.objects.select_for_update(of=("self",)).get(id=job_id)
    if job.status != Job.Status.RUNNING or job.lease_until is None or job.lease_until > timezone.now():
        return
    log.warning("job=%s attempt=%d fell silent", job.id, job.attempt)
    end_attempt(job, FaultReport(code="job.worker_lost", params={"attempts": job.attempt}))


def wake_again() -> None:
    """Announce jobs that were announced a while ago and still wait: the broker may have lost the message."""
    long_ago = timezone.now() - WAKE_AGAIN_AFTER
    for job in Job.objects.filter(status=Job.Status.QUEUED, woken_at__lt=long_ago).order_by("created_at")[:100]:
        Job.objects.filter(id=job.id).update(woken_at=timezone.now())
        wake(job.id, job.pool)


def run_forever(interval_s: float = 1.0) -> None:
    """The supervisor process."""
    while True:
        try:
            close_old_connections()
            supervise()
        except Exception:  # the supervisor outlives a database that is away for a while
            log.exception("a round of the supervisor failed")
        time.sleep(interval_s)
