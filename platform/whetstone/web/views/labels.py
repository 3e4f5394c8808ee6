"""Labelling, one pair after another."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from whetstone.accounts.scope import owned, person, team_of
from whetstone.datasets.models import DatasetVersion
from whetstone.jobs.rollouts import jobs_with_rollouts
from whetstone.web.askable import askable, label_datasets


@login_required
@require_safe
def labels(request: HttpRequest) -> HttpResponse:
    """`?source=` is what is labelled, like `job:ftjob-…`; `?dataset=` is what the labels go into."""
    team = team_of(person(request))
    versions = owned(DatasetVersion, team).exclude(shape="").select_related("dataset")
    data = {
        "groups": askable(team),
        "prompts": [{"value": f"dataset:{one}", "label": str(one)} for one in versions],
        "jobs": [{"value": f"job:{one.id}", "label": one.label} for one in jobs_with_rollouts(team)],
        "datasets": label_datasets(team)["preference"],
        "source": request.GET.get("source", ""),
        "dataset": request.GET.get("dataset", ""),
    }
    return render(request, "web/labels.html", {"data": data})
