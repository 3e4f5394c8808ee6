"""Saved graders, and the builder."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import Count, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from contracts.fault import Fault
from whetstone.accounts.models import Team
from whetstone.accounts.scope import owned, person, team_of
from whetstone.api.errors import fault_json
from whetstone.api.openai.masking import masked
from whetstone.datasets.models import DatasetVersion
from whetstone.evaluators.delete import delete_evaluator, delete_evaluator_version
from whetstone.evaluators.find import find_evaluator, jobs_by_version, newest_versions
from whetstone.evaluators.models import Evaluator, EvaluatorVersion
from whetstone.evaluators.templates import templates_for
from whetstone.jobs.models import Job
from whetstone.jobs.rollouts import jobs_with_rollouts
from whetstone.web.schemas import grader_schema, known_names

FILTERED_FROM = 10
"""So many evaluators are looked through by eye."""
JOBS_SHOWN = 10


@login_required
@require_safe
def evaluators(request: HttpRequest) -> HttpResponse:
    """The newest version of each, with how many jobs use any of its versions. `?q=` is a part of the name or note."""
    team = team_of(person(request))
    newest = {version.evaluator_id: version for version in newest_versions(team)}
    found = owned(Evaluator, team).annotate(used=Count("versions__jobs")).order_by("name")
    wanted = request.GET.get("q", "").strip()
    rows = [(each, newest[each.id], each.used) for each in found if _speaks_of(newest[each.id], wanted)]
    context = {"evaluators": rows, "has_filter": len(newest) > FILTERED_FROM or wanted, "wanted": wanted}
    return render(request, "web/evaluators.html", context)


def _speaks_of(version: EvaluatorVersion, wanted: str) -> bool:
    return wanted.lower() in f"{version.evaluator.name}\n{version.note}\n{version.document['type']}".lower()


@login_required
@require_safe
def evaluator(request: HttpRequest, name: str) -> HttpResponse:
    """A version, the newest without `?version=`, and all that there are."""
    found = get_object_or_404(owned(Evaluator, team_of(person(request))), name=name)
    versions = list(found.versions.select_related("evaluator", "created_by").order_by("-number"))
    asked = request.GET.get("version", "")
    shown = next((version for version in versions if str(version.number) == asked), versions[0])
    used = jobs_by_version(versions)
    context = {
        "evaluator": found,
        "versions": [(one, used[one.id], older) for one, older in zip(versions, [*versions[1:], None], strict=True)],
        "shown": shown,
        "previous": next((one for one in versions if one.number < shown.number), None),
        "jobs": _jobs(found).filter(evaluator=shown)[:JOBS_SHOWN],
        "used": used[shown.id],
        "used_by_all": sum(used.values()),
    }
    return render(request, "web/evaluator.html", context)


def _jobs(found: Evaluator) -> QuerySet[Job]:
    return owned(Job, found.team).filter(evaluator__evaluator=found)


@login_required
@require_POST
def delete(request: HttpRequest, name: str) -> HttpResponse:
    """The version of this number, or all of them."""
    team = team_of(person(request))
    found = get_object_or_404(owned(Evaluator, team), name=name)
    number = request.POST.get("version", "")
    try:
        if not number:
            delete_evaluator(found)
        else:
            delete_evaluator_version(find_evaluator(team, f"{name}@{number}"))
    except Fault as fault:
        messages.error(request, fault_json(fault.report)["message"])
        return redirect("evaluator", name)
    deleted = f"{name}@{number}" if number else name
    messages.success(request, _("%(evaluator)s was deleted.") % {"evaluator": deleted})
    is_left = owned(Evaluator, team).filter(pk=found.pk).exists()
    return redirect("evaluator", name) if is_left else redirect("evaluators")


@login_required
@require_safe
def build(request: HttpRequest) -> HttpResponse:
    """The builder: empty, with a version to start from (`?from=`), which `&as=copy` puts under another name, with a
    template (`?template=`), or with the grader of a job (`?job=`), to be tried on what its model answered."""
    team = team_of(person(request))
    job = owned(Job, team).select_related("evaluator__evaluator").filter(id=request.GET.get("job", "")).first()
    start = job.evaluator if job else _start(team, request.GET.get("from", ""))
    is_copy = start is not None and request.GET.get("as") == "copy"
    begin_with, wanted = templates_for(team), request.GET.get("template")
    data = {
        "schema": grader_schema(),
        "grader": start.document if start else _grader_of(job) if job else None,
        "name": _name(team, start, is_copy),
        "base": _newest(start) if start and not is_copy else 0,
        "author": start.created_by.get_username() if start else None,
        "templates": begin_with,
        "template": wanted if any(one["id"] == wanted for one in begin_with) else None,
        "datasets": _datasets(team),
        "jobs": [{"id": job.id, "label": job.label} for job in jobs_with_rollouts(team)],
        "source": f"job:{job.id}" if job else "",
        "known": known_names(team),
        "evaluators_url": reverse("evaluators") + "/",
    }
    return render(request, "web/evaluator_build.html", {"data": data, "start": start, "is_copy": is_copy})


def _grader_of(job: Job) -> Any:
    """A job's own grader, without what its headers keep secret."""
    grader = job.job_spec.grader
    return masked(grader.model_dump(mode="json", exclude_none=True)) if grader else None


def _newest(start: EvaluatorVersion) -> int:
    """What the next version comes after, whichever one it begins with."""
    return max(start.evaluator.versions.values_list("number", flat=True))


def _name(team: Team, start: EvaluatorVersion | None, is_copy: bool) -> str:
    """What it will be saved as: for a copy a name that nobody bears yet."""
    if start is None or not is_copy:
        return start.evaluator.name if start else ""
    taken = set(owned(Evaluator, team).values_list("name", flat=True))
    wanted = _("%(evaluator)s copy") % {"evaluator": start.evaluator.name[:100]}
    numbered = (wanted, *(f"{wanted} {n}" for n in range(2, len(taken) + 2)))
    return next(name for name in numbered if name not in taken)


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
