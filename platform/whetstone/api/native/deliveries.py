"""What was sent to webhooks: how it went, and sending it again."""

from typing import Annotated

from django.http import HttpRequest
from ninja import Query, Router
from typing_extensions import TypedDict  # Pydantic reads no other before Python 3.12

from contracts.fault import Fault
from whetstone.accounts.models import Team
from whetstone.api.answers import Page, described, one_of
from whetstone.api.caller import caller
from whetstone.api.openai.pages import page
from whetstone.webhooks.deliver import redeliver
from whetstone.webhooks.endpoints import find_endpoint
from whetstone.webhooks.models import Delivery

router = Router(tags=["webhooks"])


@described
class DeliveryJson(TypedDict):
    id: str
    endpoint: str
    event: str
    """The `webhook-id`, by which whoever receives it knows it again."""
    type: str
    state: Annotated[str, one_of(*Delivery.State.values)]
    attempts: int
    last_status: int | None
    last_error: str | None
    last_at: int | None
    next_at: int | None
    created_at: int


@router.get("")
def list_deliveries(
    request: HttpRequest,
    endpoint: str | None = None,
    state: Delivery.State | None = None,
    after: str | None = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
) -> Page[DeliveryJson]:
    """Newest first; those that have ended are kept for 30 days."""
    team = caller(request).team
    rows = Delivery.objects.filter(endpoint__team=team)
    if endpoint is not None:
        rows = rows.filter(endpoint=find_endpoint(team, endpoint, param="endpoint"))
    rows = rows.filter(state=state) if state is not None else rows
    return page(rows, delivery_json, after=after, limit=limit)


@router.post("/{delivery_id}/redeliver")
def send_again(request: HttpRequest, delivery_id: str) -> DeliveryJson:
    """Send it again, as if it were new; with the same `webhook-id`."""
    delivery = find_delivery(caller(request).team, delivery_id)
    redeliver(delivery)
    return delivery_json(delivery)


def find_delivery(team: Team, delivery_id: str) -> Delivery:
    """Raises Fault delivery.not_found."""
    found = Delivery.objects.filter(endpoint__team=team, id=delivery_id).first()
    if found is None:
        raise Fault("delivery.not_found", field="delivery_id", delivery=delivery_id)
    return found


def delivery_json(delivery: Delivery) -> DeliveryJson:
    is_waiting = delivery.state == Delivery.State.WAITING
    return {
        "id": delivery.id,
        "endpoint": delivery.endpoint_id,
        "event": delivery.event,
        "type": delivery.type,
        "state": delivery.state,
        "attempts": delivery.attempts,
        "last_status": delivery.last_status,
        "last_error": delivery.last_error or None,
        "last_at": int(delivery.last_at.timestamp()) if delivery.last_at else None,
        "next_at": int(delivery.next_at.timestamp()) if is_waiting else None,
        "created_at": int(delivery.created_at.timestamp()),
    }
