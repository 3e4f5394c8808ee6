"""The chat: a new conversation, or one that the team has begun."""

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from contracts.fault import Fault
from whetstone.accounts.models import Team
from whetstone.accounts.scope import owned, person, team_of
from whetstone.conversations.keep import find_conversation
from whetstone.deployments.models import Deployment
from whetstone.web.askable import askable, label_datasets


@login_required
@require_safe
def chat(request: HttpRequest, conversation_id: str = "") -> HttpResponse:
    """Empty, with `?model=` once or twice already chosen, or with what was said."""
    who = person(request)
    team = team_of(who)
    data = {
        "groups": askable(team),
        "models": [name for name in request.GET.getlist("model")[:2] if name],
        "datasets": label_datasets(team),
        "me": who.get_username(),
        "conversation": _kept(team, conversation_id) if conversation_id else None,
    }
    return render(request, "web/chat.html", {"data": data})


def _kept(team: Team, conversation_id: str) -> dict[str, Any]:
    try:
        found = find_conversation(team, conversation_id)
    except Fault:
        raise Http404 from None
    return {"id": found.id, "title": found.title, "revision": found.revision, "thread": found.document}


@login_required
@require_safe
def standing(request: HttpRequest) -> JsonResponse:
    """What the model is doing that somebody waits for."""
    name = request.GET.get("model", "")
    found = owned(Deployment, team_of(person(request))).filter(name=name).values_list("status", flat=True).first()
    return JsonResponse({"status": found or ""})
