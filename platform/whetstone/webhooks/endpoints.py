"""Endpoints: made, changed, and given another secret."""

import base64
import secrets
from collections.abc import Sequence
from datetime import timedelta

from django.utils.translation import gettext as _

from contracts.fault import Fault
from whetstone import clock
from whetstone.accounts.models import Team, User
from whetstone.accounts.scope import owned
from whetstone.evaluators.seal import seal, unseal
from whetstone.webhooks.models import EVENT_TYPES, Endpoint

KEPT = timedelta(hours=24)
PREFIX = "whsec_"


def add_endpoint(user: User, team: Team, name: str, url: str, event_types: Sequence[str]) -> tuple[Endpoint, str]:
    """The endpoint, and its secret, which is shown this once. Raises Fault request.invalid."""
    secret = _new_secret()
    fields = {"name": name, "url": url, "event_types": _known(event_types)}
    made = Endpoint.objects.create(team=team, created_by=user, sealed=seal(secret), hint=_hint(secret), **fields)
    return made, secret


def change_endpoint(endpoint: Endpoint, name: str | None, url: str | None, event_types: Sequence[str] | None) -> None:
    """What is None stays. Raises Fault request.invalid."""
    new = (
        endpoint.name if name is None else name,
        endpoint.url if url is None else url,
        endpoint.event_types if event_types is None else _known(event_types),
    )
    if new == (endpoint.name, endpoint.url, endpoint.event_types):
        return
    endpoint.name, endpoint.url, endpoint.event_types = new
    endpoint.updated_at = clock.now()
    endpoint.save(update_fields=["name", "url", "event_types", "updated_at"])


def rotate(endpoint: Endpoint, *, keep_old: bool) -> str:
    """The new secret. The old one signs beside it for 24 hours more, or no longer."""
    secret, now = _new_secret(), clock.now()
    endpoint.former, endpoint.former_until = (endpoint.sealed, now + KEPT) if keep_old else ("", None)
    endpoint.sealed, endpoint.hint, endpoint.updated_at = seal(secret), _hint(secret), now
    endpoint.save(update_fields=["former", "former_until", "sealed", "hint", "updated_at"])
    return secret


def secrets_of(endpoint: Endpoint) -> list[str]:
    """Those that sign now. Raises Fault secret.unreadable."""
    sealed = [endpoint.sealed]
    if endpoint.former and endpoint.former_until and endpoint.former_until > clock.now():
        sealed.append(endpoint.former)
    return [unseal(one, endpoint.name) for one in sealed]


def find_endpoint(team: Team, endpoint_id: str, param: str = "endpoint_id") -> Endpoint:
    """Raises Fault webhook.not_found."""
    found = owned(Endpoint, team).filter(id=endpoint_id).first()
    if found is None:
        raise Fault("webhook.not_found", field=param, endpoint=endpoint_id)
    return found


def _known(event_types: Sequence[str]) -> list[str]:
    unknown = [one for one in event_types if one not in EVENT_TYPES]
    if unknown or not event_types:
        detail = _("“%(type)s” never happens here. What does: %(types)s.")
        names = {"type": unknown[0] if unknown else "", "types": ", ".join(EVENT_TYPES)}
        raise Fault("request.invalid", field="event_types", detail=detail % names)
    return [one for one in EVENT_TYPES if one in event_types]


def _new_secret() -> str:
    return PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def _hint(secret: str) -> str:
    return f"{PREFIX}…{secret[-5:-1]}"
