"""`/v1/webhook_endpoints`: who is told when a job ends, as `client.webhooks` of OpenAI's client has it."""

import secrets
from typing import Annotated

from django.conf import settings
from django.http import HttpRequest
from ninja import Query, Router, Schema
from pydantic import AfterValidator, Field

from contracts.fault import Fault
from graders.schema.endpoint import http_address
from whetstone import clock
from whetstone.accounts.scope import owned
from whetstone.api.answers import Listing, Page
from whetstone.api.caller import caller
from whetstone.api.openai.pages import page
from whetstone.api.openai.schema import Deleted, EndpointJson, EndpointWithSecret, TestResult
from whetstone.webhooks.endpoints import add_endpoint, change_endpoint, find_endpoint, rotate, secrets_of
from whetstone.webhooks.models import EVENT_TYPES, Endpoint
from whetstone.webhooks.notice import message
from whetstone.webhooks.send import client, send
from whetstone.webhooks.sign import headers

router = Router(tags=["webhooks"])
Name = Annotated[str, Field(min_length=1, max_length=128)]
Url = Annotated[str, Field(max_length=1024), AfterValidator(http_address)]
EventTypes = Annotated[list[str], Field(min_length=1, max_length=100)]


class NewEndpoint(Schema):
    name: Name
    url: Url
    event_types: EventTypes


class ChangedEndpoint(Schema):
    name: Name | None = None
    url: Url | None = None
    event_types: EventTypes | None = None


class Rotation(Schema):
    keep_old_secret_active_for_24_hours: bool = False


class Sample(Schema):
    event_type: str


@router.get("/webhook_event_types")
def event_types(request: HttpRequest) -> Listing[str]:
    caller(request)
    return {"object": "list", "data": list(EVENT_TYPES)}


@router.post("/webhook_endpoints")
def create(request: HttpRequest, body: NewEndpoint) -> EndpointWithSecret:
    """`signing_secret` is told this once."""
    who = caller(request)
    made, secret = add_endpoint(who.user, who.team, body.name, body.url, body.event_types)
    return {**endpoint_json(made), "signing_secret": secret}


@router.get("/webhook_endpoints")
def list_endpoints(
    request: HttpRequest, after: str | None = None, limit: Annotated[int, Query(ge=1, le=100)] = 20
) -> Page[EndpointJson]:
    return page(owned(Endpoint, caller(request).team), endpoint_json, after=after, limit=limit)


@router.get("/webhook_endpoints/{endpoint_id}")
def retrieve(request: HttpRequest, endpoint_id: str) -> EndpointJson:
    return endpoint_json(find_endpoint(caller(request).team, endpoint_id))


@router.post("/webhook_endpoints/{endpoint_id}")
def update(request: HttpRequest, endpoint_id: str, body: ChangedEndpoint) -> EndpointJson:
    """What is left out stays. Events that wait are sent to the new address."""
    endpoint = find_endpoint(caller(request).team, endpoint_id)
    change_endpoint(endpoint, body.name, body.url, body.event_types)
    return endpoint_json(endpoint)


@router.delete("/webhook_endpoints/{endpoint_id}")
def delete(request: HttpRequest, endpoint_id: str) -> Deleted:
    """Its deliveries go with it."""
    find_endpoint(caller(request).team, endpoint_id).delete()
    return {"id": endpoint_id, "object": "webhook_endpoint.deleted", "deleted": True}


@router.post("/webhook_endpoints/{endpoint_id}/rotate_secret")
def rotate_secret(request: HttpRequest, endpoint_id: str, body: Rotation) -> EndpointWithSecret:
    endpoint = find_endpoint(caller(request).team, endpoint_id)
    secret = rotate(endpoint, keep_old=body.keep_old_secret_active_for_24_hours)
    return {**endpoint_json(endpoint), "signing_secret": secret}


@router.post("/webhook_endpoints/{endpoint_id}/test")
def test(request: HttpRequest, endpoint_id: str, body: Sample) -> TestResult:
    """Send a sample now, and say what was answered. Nothing is tried again."""
    endpoint = find_endpoint(caller(request).team, endpoint_id)
    status = send_sample(endpoint, body.event_type)
    return {
        "object": "webhook_endpoint.test",
        "webhook_endpoint_id": endpoint.id,
        "event_type": body.event_type,
        "status_code": status,
        "success": True,
    }


def send_sample(endpoint: Endpoint, event_type: str) -> int:
    """The status that was answered. Raises Fault request.invalid, webhook.unreachable or secret.unreadable."""
    if event_type not in EVENT_TYPES:
        raise Fault("request.invalid", field="event_type", detail=f"What happens here: {', '.join(EVENT_TYPES)}.")
    event, at = f"evt_test-{secrets.token_hex(12)}", int(clock.now().timestamp())
    body = message(event, event_type, at, {"id": "ftjob-sample"})
    signed = headers(event, body, at, secrets_of(endpoint))
    outcome = send(client(settings.ENVIRONMENT.private_hosts), endpoint.url, body, signed)
    if outcome.status is None:
        raise Fault("webhook.unreachable", url=endpoint.url, detail=outcome.error)
    return outcome.status


def endpoint_json(endpoint: Endpoint) -> EndpointJson:
    return {
        "id": endpoint.id,
        "object": "webhook_endpoint",
        "name": endpoint.name,
        "url": endpoint.url,
        "event_types": endpoint.event_types,
        "created_at": int(endpoint.created_at.timestamp()),
        "updated_at": int(endpoint.updated_at.timestamp()),
        "signing_secret_hint": endpoint.hint,
    }
