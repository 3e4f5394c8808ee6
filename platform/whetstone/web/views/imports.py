"""Bringing a model in: the page with its four ways, and what becomes of what was begun."""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST
from pydantic import ValidationError

from contracts.fault import Fault
from whetstone.accounts.models import Team
from whetstone.accounts.scope import owned, person, team_of
from whetstone.api.caller import Caller
from whetstone.api.errors import fault_json
from whetstone.api.native.imports import NewImport, begun
from whetstone.evaluators.models import Secret
from whetstone.jobs.checkpoints import checkpoints_of
from whetstone.jobs.keep import keep_checkpoint
from whetstone.jobs.models import Job
from whetstone.modelhub.begin import again, cancel, dismiss
from whetstone.modelhub.models import Import

FIELDS = {"hub": ("repo", "revision", "token"), "folder": ("folder",)}
JOBS = 20
"""Of the newest: older ones keep their checkpoints on their own pages."""


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """What was typed stays when it was wrong."""
    user = person(request)
    team = team_of(user)
    if request.method == "POST":
        try:
            begun(Caller(user, team), _asked(request))
            return redirect("models")
        except (Fault, ValidationError) as error:
            messages.error(request, _sentence(error))
    context = {
        "given": request.POST,
        "secrets": owned(Secret, team),
        "hub": settings.ENVIRONMENT.hf_endpoint.partition("://")[2].rstrip("/"),
        "roots": settings.ENVIRONMENT.model_roots,
        "checkpoints": _checkpoints(team),
    }
    return render(request, "web/model_import.html", context)


def _asked(request: HttpRequest) -> NewImport:
    kind = request.POST.get("type", "")
    source = {name: request.POST.get(name, "").strip() for name in FIELDS.get(kind, ())}
    return NewImport.model_validate({"source": source | {"type": kind}, "name": request.POST.get("name", "").strip()})


def _sentence(error: Fault | ValidationError) -> str:
    if isinstance(error, Fault):
        told = fault_json(error.report)
        return " ".join(filter(None, (told["message"], told.get("next_step"))))
    first = error.errors(include_context=False)[0]
    return f"{first['loc'][-1]}: {first['msg'].removeprefix('Value error, ')}"


def _checkpoints(team: Team) -> list[tuple[Job, int]]:
    """Whole ones that no model was made of yet, the newest job's first."""
    jobs = owned(Job, team).filter(events__type="checkpoint").distinct().select_related("team", "base")[:JOBS]
    found = [(job, one) for job in jobs for one in checkpoints_of(job)]
    return [(job, one.step) for job, one in found if not (one.is_damaged or one.is_adapter or one.model)]


@login_required
@require_POST
def from_checkpoint(request: HttpRequest) -> HttpResponse:
    user = person(request)
    job_id, _, step = request.POST.get("checkpoint", "").rpartition(":")
    job = get_object_or_404(owned(Job, team_of(user)).select_related("team", "base"), id=job_id)
    try:
        name = request.POST.get("name", "").strip()
        return redirect("model", keep_checkpoint(user, job, int(step) if step.isdecimal() else 0, name).pk)
    except Fault as fault:
        messages.error(request, _sentence(fault))
    return redirect("model-import")


@login_required
@require_POST
def stop(request: HttpRequest, import_id: str) -> HttpResponse:
    return _ordered(request, import_id, cancel)


@login_required
@require_POST
def retry(request: HttpRequest, import_id: str) -> HttpResponse:
    return _ordered(request, import_id, again)


@login_required
@require_POST
def forget(request: HttpRequest, import_id: str) -> HttpResponse:
    return _ordered(request, import_id, dismiss)


def _ordered(request: HttpRequest, import_id: str, order: Callable[[Import], None]) -> HttpResponse:
    one = get_object_or_404(owned(Import, team_of(person(request))).select_related("team"), id=import_id)
    try:
        order(one)
    except Fault as fault:
        messages.error(request, _sentence(fault))
    return redirect("models")


def rows_of(team: Team) -> list[dict[str, Any]]:  # Any: what the template shows
    """What is on its way, and what failed and nobody has put aside."""
    shown = ("uploading", "queued", "running", "failed")
    return [_row(one) for one in owned(Import, team).filter(state__in=shown)[:20]]


def _row(one: Import) -> dict[str, Any]:  # Any: as above
    report = one.fault_report
    return {"one": one, "fault": fault_json(report) if report else None}
