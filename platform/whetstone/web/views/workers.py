"""Machines that carry out jobs."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from whetstone.accounts.scope import owned, person, team_of
from whetstone.jobs.models import Job
from whetstone.workers.models import Worker


@login_required
@require_safe
def workers(request: HttpRequest) -> HttpResponse:
    """Each with what it does: other teams' jobs are counted, never named."""
    mine = owned(Job, team_of(person(request)))
    running = Job.objects.filter(status=Job.Status.RUNNING).prefetch_related("attempts")
    busy = {
        attempt.worker_id: job for job in running for attempt in job.attempts.all() if attempt.number == job.attempt
    }
    visible = set(mine.filter(status=Job.Status.RUNNING).values_list("id", flat=True))
    rows = [(worker, busy.get(worker.pk), _is_mine(busy.get(worker.pk), visible)) for worker in Worker.objects.all()]
    return render(request, "web/workers.html", {"workers": rows})


def _is_mine(job: Job | None, visible: set[str]) -> bool:
    return job is not None and job.id in visible
