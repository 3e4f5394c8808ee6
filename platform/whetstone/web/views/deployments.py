"""Deployments: the list, a new one, one that is served, and what a person orders."""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from pydantic import ValidationError

from contracts.fault import Fault
from whetstone import clock
from whetstone.accounts.scope import owned, person, team_of
from whetstone.api.errors import fault_json
from whetstone.api.native.serving_tests import serving_test_json
from whetstone.deployments import deploy
from whetstone.deployments.deploy import AUTO, DeploymentChange, NewDeployment, find_deployment, pools_of_engines
from whetstone.deployments.exchange import nudge
from whetstone.deployments.measure import ServingPlan
from whetstone.deployments.models import SILENT_AFTER, Deployment, Host, ServingTest
from whetstone.deployments.serving_tests import begin_test, cancel_test, find_test
from whetstone.jobs.keep import keep_checkpoint
from whetstone.jobs.models import Job
from whetstone.modelhub.models import Model
from whetstone.web.snippets import snippets, snippets_of_scorer
from whetstone.web.words import DEPLOYMENT_MARKS, DEPLOYMENT_REASONS, DEPLOYMENT_STATES, SERVING_TEST_STATES

IDLE_MINUTES = (5, 10, 30, 60, 240)
TESTS_SHOWN = 20
Facts = dict[str, Any]  # Any: what a template reads


@login_required
@require_safe
def deployments(request: HttpRequest) -> HttpResponse:
    mine = owned(Deployment, team_of(person(request))).select_related("host", "source")
    return render(request, "web/deployments.html", {"rows": [_facts(one) for one in mine], "engines": _engines()})


def _engines() -> int:
    """How many hosts of engines are there."""
    return Host.objects.filter(seen_at__gt=clock.now() - SILENT_AFTER).count()


def _facts(one: Deployment) -> Facts:
    report = one.fault_report
    return {
        "one": one,
        "state": DEPLOYMENT_STATES[one.status],
        "mark": DEPLOYMENT_MARKS[one.status],
        "reason": DEPLOYMENT_REASONS[one.reason],
        "counts": one.counts,
        "fault": fault_json(report) if report else None,
        "is_on": one.is_wanted and one.status != Deployment.Status.STOPPED,
    }


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """What was typed stays when it was wrong."""
    user = person(request)
    team = team_of(user)
    if request.method == "POST":
        try:
            return redirect("deployment", nudge(deploy.deploy(user, team, _asked(request))).id)
        except (Fault, ValidationError) as error:
            messages.error(request, _sentence(error))
    models = owned(Model, team).select_related("base").defer("config")
    context = {
        "given": request.POST or {"model": request.GET.get("model", "")},
        "models": [one for one in models if one.has_weights and (one.task == Model.Task.TEXT or not one.is_adapter)],
        "pools": pools_of_engines(),
        "idle_minutes": IDLE_MINUTES,
    }
    return render(request, "web/deployment_new.html", context)


def _asked(request: HttpRequest) -> NewDeployment:
    said = request.POST
    about: Facts = {
        "model": said.get("model", ""),
        "name": said.get("name", "").strip() or None,
        "pool": said.get("pool") or AUTO,
        "idle_minutes": _minutes(said.get("idle_minutes", "")),
    }
    if said.get("whole"):
        about["shares_base"] = False
    return NewDeployment.model_validate(about)


def _minutes(said: str) -> str | int | None:
    return None if said == "never" else said or IDLE_MINUTES[1]


@login_required
@require_safe
def deployment(request: HttpRequest, deployment_id: str) -> HttpResponse:
    found = _find(request, deployment_id)
    tests = list(found.serving_tests.select_related("deployment")[:TESTS_SHOWN])
    context = _facts(found) | {
        "snippets": (snippets_of_scorer if found.scores else snippets)(_here(), found.name),
        "idle_minutes": _choices(found),
        "idle": found.idle_s // 60 if found.idle_s is not None else None,
        "beside": _beside(found),
        "tests": [(one, SERVING_TEST_STATES[one.state], _test_fault(one)) for one in tests],
        "curves": [_curve(one) for one in tests if one.results],
        "is_measuring": any(not one.has_ended for one in tests),
        "levels": ", ".join(map(str, ServingPlan().levels)),
        "plan": ServingPlan(),
    }
    return render(request, "web/deployment.html", context)


def _here() -> str:
    return settings.ENVIRONMENT.public_url.rstrip("/")


def _choices(found: Deployment) -> list[int]:
    own = {found.idle_s // 60} if found.idle_s is not None else set()
    return sorted({*IDLE_MINUTES, *own})


def _beside(found: Deployment) -> list[Deployment]:
    """Others whose base is the same memory on the same host."""
    if found.host is None:
        return []
    others = owned(Deployment, found.team).filter(host=found.host).exclude(id=found.id)
    return [one for one in others if one.is_held and one.model["files"] == found.model["files"]]


def _test_fault(one: ServingTest) -> Facts | None:
    report = one.fault_report
    return dict(fault_json(report)) if report else None


def _curve(one: ServingTest) -> Facts:
    told = serving_test_json(one)
    levels = [level.model_dump(mode="json") for level in told["levels"]]
    return {"id": one.id, "model": one.model, "created_at": told["created_at"], "levels": levels}


@login_required
@require_POST
def deploy_model(request: HttpRequest, pk: int) -> HttpResponse:
    """One click: the model under its own name, as it is mostly wanted."""
    user = person(request)
    found = get_object_or_404(owned(Model, team_of(user)), pk=pk)
    return _deployed(request, found, back=redirect("model", pk))


@login_required
@require_POST
def deploy_checkpoint(request: HttpRequest, job_id: str, step: int) -> HttpResponse:
    """Kept as a model first, so that it stays when the checkpoint goes."""
    user = person(request)
    job = get_object_or_404(owned(Job, team_of(user)).select_related("team", "base", "trained"), id=job_id)
    try:
        found = keep_checkpoint(user, job, step)
    except Fault as fault:
        messages.error(request, _sentence(fault))
        return redirect("job", job_id)
    return _deployed(request, found, back=redirect("job", job_id))


def _deployed(request: HttpRequest, found: Model, back: HttpResponse) -> HttpResponse:
    """One that serves it already is shown instead of a second one."""
    user = person(request)
    team = team_of(user)
    there = owned(Deployment, team).filter(name=found.name, serves=found.name).exclude(created_by=None).first()
    try:
        made = there or deploy.deploy(user, team, NewDeployment(model=found.name))
        return redirect("deployment", nudge(deploy.start(made)).id)
    except Fault as fault:
        messages.error(request, _sentence(fault))
        return back


@login_required
@require_POST
def start(request: HttpRequest, deployment_id: str) -> HttpResponse:
    return _ordered(request, deployment_id, deploy.start)


@login_required
@require_POST
def stop(request: HttpRequest, deployment_id: str) -> HttpResponse:
    return _ordered(request, deployment_id, deploy.stop)


@login_required
@require_POST
def change(request: HttpRequest, deployment_id: str) -> HttpResponse:
    return _ordered(request, deployment_id, lambda one: deploy.change(one, _change(request)))


def _change(request: HttpRequest) -> DeploymentChange:
    return DeploymentChange.model_validate({"idle_minutes": _minutes(request.POST.get("idle_minutes", ""))})


def _ordered(request: HttpRequest, deployment_id: str, order: Callable[[Deployment], Deployment]) -> HttpResponse:
    found = _find(request, deployment_id)
    try:
        nudge(order(found))
    except (Fault, ValidationError) as error:
        messages.error(request, _sentence(error))
    return redirect("deployment", deployment_id)


@login_required
@require_POST
def delete(request: HttpRequest, deployment_id: str) -> HttpResponse:
    found = _find(request, deployment_id)
    host, name = found.host, found.name
    found.delete()
    nudge(found, host)
    messages.success(request, _("%(model)s was deleted.") % {"model": name})
    return redirect("deployments")


@login_required
@require_POST
def measure(request: HttpRequest, deployment_id: str) -> HttpResponse:
    """Begin a serving test; what is left empty has its default."""
    found = _find(request, deployment_id)
    given = {name: value for name in ("requests_each", "answer_tokens") if (value := request.POST.get(name))}
    levels = [one for one in request.POST.get("levels", "").replace(",", " ").split() if one]
    try:
        begin_test(person(request), found, ServingPlan.model_validate(given | ({"levels": levels} if levels else {})))
    except (Fault, ValidationError) as error:
        messages.error(request, _sentence(error))
    return redirect(f"{redirect('deployment', deployment_id)['Location']}#serving-tests")


@login_required
@require_POST
def test_cancel(request: HttpRequest, test_id: str) -> HttpResponse:
    return _test_ordered(request, test_id, cancel_test)


@login_required
@require_POST
def test_delete(request: HttpRequest, test_id: str) -> HttpResponse:
    return _test_ordered(request, test_id, lambda one: one.delete())


def _test_ordered(request: HttpRequest, test_id: str, order: Callable[[ServingTest], object]) -> HttpResponse:
    try:
        found = find_test(team_of(person(request)), test_id)
    except Fault as fault:
        raise Http404 from fault
    try:
        order(found)
    except Fault as fault:
        messages.error(request, _sentence(fault))
    return redirect(f"{redirect('deployment', found.deployment_id)['Location']}#serving-tests")


def _find(request: HttpRequest, deployment_id: str) -> Deployment:
    try:
        return find_deployment(team_of(person(request)), deployment_id)
    except Fault as fault:
        raise Http404 from fault


def _sentence(error: Fault | ValidationError) -> str:
    if isinstance(error, Fault):
        told = fault_json(error.report)
        return " ".join(filter(None, (told["message"], told.get("next_step"))))
    first = error.errors(include_context=False, include_input=False)[0]
    return f"{first['loc'][0]}: {first['msg'].removeprefix('Value error, ')}"
