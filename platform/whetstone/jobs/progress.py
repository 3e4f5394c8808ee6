"""When a job that runs will be done, if it goes on as it does."""

from datetime import datetime

from django.utils import timezone

from whetstone.jobs.models import Job


def estimated_finish(job: Job) -> datetime | None:
    """By the pace of its present attempt. None before it has done a step, and for a job that does not run."""
    if job.status != Job.Status.RUNNING or not job.step:
        return None
    attempt = job.attempts.filter(number=job.attempt).first()
    done = job.step - attempt.from_step if attempt else 0
    if attempt is None or done < 1:
        return None
    now = timezone.now()
    return now + (now - attempt.started_at) * max(0, job.total_steps - job.step) / done
