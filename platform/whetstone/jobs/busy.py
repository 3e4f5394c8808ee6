"""Which worker carries which job out."""

from whetstone.jobs.models import Attempt, Job


def busy_workers() -> dict[int, str]:
    """Job ids by the primary key of the worker that holds them, of all teams: show a team its own alone."""
    running = Attempt.objects.filter(ended_at=None, worker__isnull=False, job__status=Job.Status.RUNNING)
    return {worker: job for worker, job in running.values_list("worker_id", "job_id") if worker is not None}
