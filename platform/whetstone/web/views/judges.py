"""Judges and secrets on the settings page."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.http import require_POST
from pydantic import ValidationError

from contracts.fault import Fault
from whetstone.accounts.scope import owned, person, team_of
from whetstone.api.errors import fault_json
from whetstone.api.native.judges import NewJudge, NewSecret, judge_of
from whetstone.evaluators.judges import add_judge, delete_secret
from whetstone.evaluators.models import Judge, Secret


@login_required
@require_POST
def add(request: HttpRequest) -> HttpResponse:
    """The form is the API's body; what is left empty has its default."""
    team = team_of(person(request))
    given = {name: value for name, value in request.POST.items() if value and name in NewJudge.model_fields}
    try:
        add_judge(team, judge_of(team, NewJudge.model_validate(given)))
    except (Fault, ValidationError) as error:
        messages.error(request, _sentence(error))
    return redirect(f"{reverse('settings')}#judges")


@login_required
@require_POST
def remove(request: HttpRequest, pk: int) -> HttpResponse:
    get_object_or_404(owned(Judge, team_of(person(request))), pk=pk).delete()
    return redirect(f"{reverse('settings')}#judges")


@login_required
@require_POST
def add_secret(request: HttpRequest) -> HttpResponse:
    user = person(request)
    try:
        given = NewSecret(name=request.POST.get("name", "").strip(), value=request.POST.get("value", "").strip())
        Secret.make(user, team_of(user), given.name, given.value)
    except ValidationError as error:
        messages.error(request, _sentence(error))
    return redirect(f"{reverse('settings')}#secrets")


@login_required
@require_POST
def remove_secret(request: HttpRequest, pk: int) -> HttpResponse:
    try:
        delete_secret(get_object_or_404(owned(Secret, team_of(person(request))), pk=pk))
    except Fault as fault:
        messages.error(request, _sentence(fault))
    return redirect(f"{reverse('settings')}#secrets")


def _sentence(error: Fault | ValidationError) -> str:
    """Without what was typed: it may be a key."""
    if isinstance(error, Fault):
        return str(fault_json(error.report)["message"])
    first = error.errors(include_input=False, include_context=False)[0]
    return f"{first['loc'][0]}: {first['msg'].removeprefix('Value error, ')}"
