"""Saved graders, and the builder."""

from typing import Any

from django.contrib.auth.decorators import login_required
from django.db.models import Max, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from contracts.fault import Fault
from whetstone.accounts.models import Team
from whetstone.accounts.scope import owned, person, team_of
from whetstone.datasets.models import DatasetVersion
from whetstone.evaluators.find import find_evaluator
from whetstone.evaluators.models import Evaluator, EvaluatorVersion
from whetstone.jobs.models import Job
from whetstone.web.schemas import grader_schema, known_names


@login_required
@require_safe
def evaluators(request: HttpRequest) -> HttpResponse:
    """The newest version of each, with where it is used."""
    found = owned(Evaluator, team_of(person(request))).annotate(newest=Max("versions__number")).order_by("name")
    rows = [(each, each.versions.get(number=each.newest), _jobs(each).count()) for each in found]
    return render(request, "web/evaluators.html", {"evaluators": rows})


@login_required
@require_safe
def evaluator(request: HttpRequest, name: str) -> HttpResponse:
    found = get_object_or_404(owned(Evaluator, team_of(person(request))), name=name)
    versions = list(found.versions.select_related("created_by").order_by("-number"))
    asked = request.GET.get("version", "")
    shown = next((version for version in versions if str(version.number) == asked), versions[0])
    context = {"evaluator": found, "versions": versions, "shown": shown, "jobs": _jobs(found)[:10]}
    return render(request, "web/evaluator.html", context)


def _jobs(found: Evaluator) -> QuerySet[Job]:
    return owned(Job, found.team).filter(evaluator__evaluator=found)


@login_required
@require_safe
def build(request: HttpRequest) -> HttpResponse:
    """The builder, empty or with a version to start from."""
    team = team_of(person(request))
    start = _start(team, request.GET.get("from", ""))
    data = {
        "schema": grader_schema(),
        "grader": start.document if start else None,
        "name": start.evaluator.name if start else "",
        "base": start.number if start else 0,
        "templates": [],
        "template": None,
        "datasets": _datasets(team),
        "jobs": [],
        "known": known_names(team),
        "evaluators_url": reverse("evaluators") + "/",
    }
    return render(request, "web/evaluator_build.html", {"data": data, "start": start})


def _start(team: Team, ref: str) -> EvaluatorVersion | None:
    if not ref:
        return None
    try:
        return find_evaluator(team, ref)
    except Fault:
        raise Http404 from None


def _datasets(team: Team) -> list[dict[str, Any]]:
    """What a grader can be tried on."""
    versions = owned(DatasetVersion, team).exclude(shape="").select_related("dataset")
    return [{"id": one.id, "label": str(one), "columns": list(one.item_names)} for one in versions]
