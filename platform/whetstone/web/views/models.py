"""The model hub."""

from django.contrib.auth.decorators import login_required
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from whetstone.accounts.scope import owned, person, team_of
from whetstone.jobs.models import Job
from whetstone.jobs.provenance import origin_of
from whetstone.modelhub.models import Model
from whetstone.web.words import ORIGINS, TASKS


@login_required
@require_safe
def models(request: HttpRequest) -> HttpResponse:
    found = owned(Model, team_of(person(request))).select_related("base")
    cards = [(model, ORIGINS[model.origin], TASKS[model.task]) for model in found]
    return render(request, "web/models.html", {"models": cards})


@login_required
@require_safe
def model(request: HttpRequest, pk: int) -> HttpResponse:
    team = team_of(person(request))
    found = get_object_or_404(owned(Model, team).select_related("base"), pk=pk)
    origin = origin_of(found)
    context = {
        "model": found,
        "origin": ORIGINS[found.origin],
        "task": TASKS[found.task],
        "lineage": found.ancestors(),
        "made_by": origin.job if origin else None,
        "of_checkpoint": origin is not None and origin.job.trained_id != found.pk,
        "step": origin.step if origin else 0,
        "jobs": owned(Job, team).filter(Q(base=found) | Q(scorers=found)).distinct()[:20],
    }
    return render(request, "web/model.html", context)
