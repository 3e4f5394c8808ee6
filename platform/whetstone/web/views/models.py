"""The model hub: the list, one model, what it makes of a conversation, and its end."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from contracts.estimate import GB
from contracts.fault import Fault
from whetstone.accounts.scope import owned, person, team_of
from whetstone.api.errors import fault_json
from whetstone.evaluations.find import evaluations
from whetstone.evaluations.models import Evaluation
from whetstone.evaluations.numbers import Measure, numbers_of
from whetstone.jobs.dependents import dependents_of
from whetstone.jobs.discard import delete_model
from whetstone.jobs.fitting import TOKENS, fitting
from whetstone.jobs.merge import merge, merges_of
from whetstone.jobs.models import Job
from whetstone.jobs.place import Place
from whetstone.jobs.provenance import origin_of
from whetstone.modelhub.models import Model
from whetstone.modelhub.search import Search, architectures
from whetstone.modelhub.template import SAMPLE, rendered, template_of
from whetstone.web.views.imports import rows_of
from whetstone.web.words import FIT_MARKS, FITS, METHODS, ORIGINS, TASKS

CARDS_A_PAGE = 24
MERGES_SHOWN = 3


@login_required
@require_safe
def models(request: HttpRequest) -> HttpResponse:
    team = team_of(person(request))
    search = Search(*(request.GET.get(name, "")[:200] for name in ("q", "origin", "architecture")))
    page = Paginator(search.models(team), CARDS_A_PAGE).get_page(request.GET.get("page"))
    imports = rows_of(team)
    context = {
        "page": page,
        "models": [(model, ORIGINS[model.origin], TASKS[model.task]) for model in page],
        "search": search,
        "is_narrowed": search != Search(),
        "origins": ORIGINS.items(),
        "architectures": architectures(team),
        "imports": imports,
        "is_moving": any(not row["one"].has_ended for row in imports),
    }
    return render(request, "web/models.html", context)


@login_required
@require_safe
def model(request: HttpRequest, pk: int) -> HttpResponse:
    found = _find(request, pk)
    origin, merges = origin_of(found), _merges(found)
    context = {
        "model": found,
        "origin": ORIGINS[found.origin],
        "task": TASKS[found.task],
        "lineage": found.ancestors(),
        "made_by": origin.job if origin else None,
        "of_checkpoint": origin is not None and origin.job.trained_id != found.pk,
        "step": origin.step if origin else 0,
        "dependents": dependents_of(found),
        "evaluations": _evaluations(found),
        "fitting": _fitting(found),
        "can_chat": found.task == Model.Task.TEXT and found.has_weights and not found.is_adapter,
        "deployments": found.deployments.all(),
        "can_be_deployed": found.has_weights and (found.task == Model.Task.TEXT or not found.is_adapter),
        "has_tokenizer": any(file.path.startswith("tokenizer") for file in found.ref().files),
        "merges": merges,
        "is_merging": any(not job.has_ended for job, _fault in merges),
        "template": _template(found),
        "preview": _preview(found) if "preview" in request.GET else None,
    }
    return render(request, "web/model.html", context)


def _evaluations(found: Model) -> list[tuple[Evaluation, Measure | None]]:
    """The newest that have succeeded, each with its mean."""
    done = evaluations(found.team).filter(job__base=found, job__status=Job.Status.SUCCEEDED)
    return [(one, next(iter(numbers_of(one)["measures"]), None)) for one in done.order_by("-job__created_at")[:10]]


def _merges(found: Model) -> list[tuple[Job, dict[str, Any] | None]]:  # Any: a fault as the API tells it
    """The newest ones, each with what went wrong."""
    merges = merges_of(found).select_related("trained")[:MERGES_SHOWN] if found.is_adapter else ()
    return [(job, dict(fault_json(job.fault_report)) if job.fault_report else None) for job in merges]


def _fitting(found: Model) -> dict[str, Any] | None:  # Any: what a template reads
    table = fitting(found)
    if table is None:
        return None
    return {
        "pools": [(pool.name, round((pool.memory or 0.0) / GB)) for pool in table.pools],
        "rows": [(METHODS[row.method], [_cell(place) for place in row.places if place.fit]) for row in table.rows],
        "tokens": TOKENS,
    }


def _cell(place: Place) -> tuple[Any, ...]:  # Any: words that are translated when they are shown
    assert place.fit
    return place.pool.name, FITS[place.fit], FIT_MARKS[place.fit], place.memory_gb


def _template(found: Model) -> str:
    try:
        return template_of(found)
    except Fault:  # a lost or broken file: the doctor and the first job say so
        return ""


def _preview(found: Model) -> dict[str, Any]:  # Any: a fault as the API tells it
    """What the template makes of a short conversation, or why it makes nothing."""
    try:
        return {"text": rendered(found, SAMPLE)}
    except Fault as fault:
        return {"fault": fault_json(fault.report)}


@login_required
@require_POST
def merge_adapter(request: HttpRequest, pk: int) -> HttpResponse:
    """Let a worker make a whole model of it. The page shows how far it is."""
    try:
        merge(person(request), _find(request, pk))
    except Fault as fault:
        messages.error(request, fault_json(fault.report)["message"])
    return redirect("model", pk)


@login_required
@require_POST
def delete(request: HttpRequest, pk: int) -> HttpResponse:
    found = _find(request, pk)
    try:
        delete_model(person(request), found)
    except Fault as fault:
        messages.error(request, fault_json(fault.report)["message"])
        return redirect("model", pk)
    messages.success(request, _("%(model)s was deleted.") % {"model": found.name})
    return redirect("models")


def _find(request: HttpRequest, pk: int) -> Model:
    return get_object_or_404(owned(Model, team_of(person(request))).select_related("base", "team"), pk=pk)
