"""The first page: what runs, what waits, what came out, and what to do first."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from whetstone.accounts.models import Team
from whetstone.accounts.scope import owned, person, team_of
from whetstone.datasets.models import DatasetVersion
from whetstone.evaluators.models import Evaluator
from whetstone.jobs.kinds import trainings
from whetstone.jobs.models import Job
from whetstone.jobs.waiting import waiting_reason
from whetstone.modelhub.models import Model
from whetstone.web.results import result_of
from whetstone.workers.models import Worker
from whetstone.workers.pools import alive

ENDED = (Job.Status.SUCCEEDED, Job.Status.FAILED, Job.Status.CANCELLED)
WAITING = (Job.Status.QUEUED, Job.Status.PAUSED, Job.Status.VALIDATING_FILES)


@login_required
@require_safe
def overview(request: HttpRequest) -> HttpResponse:
    team = team_of(person(request))
    mine = owned(Job, team).select_related("base", "trained")
    waiting = mine.filter(status__in=WAITING).order_by("created_at")[:10]
    ended = mine.filter(kind=Job.Kind.TRAINING, status__in=ENDED).order_by("-finished_at")[:6]
    context = {
        "running": mine.filter(status=Job.Status.RUNNING),
        "waiting": [(job, waiting_reason(job)) for job in waiting],
        "ended": [(job, result_of(job)) for job in ended],
        "workers": Worker.objects.all(),
        "alive": len(alive()),
        "steps": _first_steps(team),
    }
    return render(request, "web/overview.html", context)


def _first_steps(team: Team) -> dict[str, bool] | None:
    """What a newcomer still has to do; None once a job of theirs came to its end."""
    if trainings(team).filter(status=Job.Status.SUCCEEDED).exists():
        return None
    return {
        "worker": bool(alive()),
        "model": owned(Model, team).exists(),
        "dataset": owned(DatasetVersion, team).exclude(shape="").exists(),
        "evaluator": owned(Evaluator, team).exists(),
        "job": trainings(team).exists(),
    }
