"""Webhook endpoints and their deliveries on the settings page."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST
from pydantic import ValidationError

from contracts.fault import Fault
from whetstone.accounts.scope import person, team_of
from whetstone.api.errors import fault_json
from whetstone.api.native.deliveries import find_delivery
from whetstone.api.openai.webhooks import NewEndpoint, send_sample
from whetstone.web.views.settings import settings_page
from whetstone.webhooks.deliver import redeliver
from whetstone.webhooks.endpoints import add_endpoint, find_endpoint, rotate


@login_required
@require_POST
def add(request: HttpRequest) -> HttpResponse:
    """Answers with the page that shows the secret, this once."""
    user = person(request)
    given = {"name": request.POST.get("name", "").strip(), "url": request.POST.get("url", "").strip()}
    try:
        asked = NewEndpoint.model_validate(given | {"event_types": request.POST.getlist("event_types")})
        made, secret = add_endpoint(user, team_of(user), asked.name, asked.url, asked.event_types)
    except ValidationError as error:
        first = error.errors()[0]
        messages.error(request, f"{first['loc'][0]}: {first['msg'].removeprefix('Value error, ')}")
        return _back()
    except Fault as fault:
        return _told(request, fault)
    return settings_page(request, signing_secret=secret, signing_endpoint=made)


@login_required
@require_POST
def test(request: HttpRequest, endpoint_id: str) -> HttpResponse:
    """Sends the endpoint's first event as a sample."""
    try:
        endpoint = find_endpoint(team_of(person(request)), endpoint_id)
        status = send_sample(endpoint, endpoint.event_types[0])
    except Fault as fault:
        return _told(request, fault)
    tell = messages.success if status < 300 else messages.error
    tell(request, _("%(name)s answered %(status)s.") % {"name": endpoint.name, "status": status})
    return _back()


@login_required
@require_POST
def new_secret(request: HttpRequest, endpoint_id: str) -> HttpResponse:
    """The old one signs beside it for a day."""
    try:
        endpoint = find_endpoint(team_of(person(request)), endpoint_id)
    except Fault as fault:
        return _told(request, fault)
    return settings_page(request, signing_secret=rotate(endpoint, keep_old=True), signing_endpoint=endpoint)


@login_required
@require_POST
def remove(request: HttpRequest, endpoint_id: str) -> HttpResponse:
    try:
        find_endpoint(team_of(person(request)), endpoint_id).delete()
    except Fault as fault:
        return _told(request, fault)
    return _back()


@login_required
@require_POST
def send_again(request: HttpRequest, delivery_id: str) -> HttpResponse:
    try:
        redeliver(find_delivery(team_of(person(request)), delivery_id))
    except Fault as fault:
        return _told(request, fault)
    return _back()


def _told(request: HttpRequest, fault: Fault) -> HttpResponse:
    messages.error(request, str(fault_json(fault.report)["message"]))
    return _back()


def _back() -> HttpResponse:
    return redirect(f"{reverse('settings')}#webhooks")
