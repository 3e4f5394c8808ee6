"""The team, the keys of its scripts, and what its graders reach outside."""

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from whetstone.accounts.models import ApiKey
from whetstone.accounts.scope import owned, person, team_of
from whetstone.evaluators.models import Judge, Secret
from whetstone.web.askable import askable
from whetstone.web.key_form import KeyForm
from whetstone.webhooks.models import EVENT_TYPES, Delivery, Endpoint

DELIVERIES_SHOWN = 20


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def settings(request: HttpRequest) -> HttpResponse:
    """A POST makes a key and answers with the page that shows it, this once: it is stored nowhere."""
    user = person(request)
    team = team_of(user)
    form, made = KeyForm(request.POST or None), None
    if form.is_valid():
        _record, made = ApiKey.make(user, team, **form.facts())
        form = KeyForm()
    return settings_page(request, form=form, made=made)


def settings_page(request: HttpRequest, **more: Any) -> HttpResponse:  # Any: what the template shows besides
    """Nobody keeps a copy: it may hold a secret that is shown once."""
    team = team_of(person(request))
    context = {
        "team": team,
        "members": team.members.order_by("username"),
        "keys": owned(ApiKey, team).filter(revoked_at=None).select_related("user").order_by("-created_at"),
        "form": KeyForm(),
        "judges": owned(Judge, team).select_related("key"),
        "askable": askable(team),
        "secrets": owned(Secret, team).select_related("created_by"),
        "endpoints": owned(Endpoint, team),
        "deliveries": Delivery.objects.filter(endpoint__team=team).select_related("endpoint")[:DELIVERIES_SHOWN],
        "event_types": EVENT_TYPES,
    }
    answer = render(request, "web/settings.html", context | more)
    answer["Cache-Control"] = "no-store"
    return answer


@login_required
@require_POST
def revoke(request: HttpRequest, pk: int) -> HttpResponse:
    key = get_object_or_404(owned(ApiKey, team_of(person(request))), pk=pk, revoked_at=None)
    key.revoke()
    return redirect("settings")
