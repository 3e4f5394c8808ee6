"""API keys, so that a pipeline renews its own: make one, use it, delete the old one."""

from datetime import timedelta
from typing import Annotated

from django.http import HttpRequest
from django.utils import timezone
from ninja import Path, Router, Schema, Status
from pydantic import ConfigDict, Field
from typing_extensions import TypedDict  # Pydantic reads no other before Python 3.12

from contracts.fault import Fault
from whetstone.accounts.models import ApiKey, Scope
from whetstone.accounts.scope import owned
from whetstone.api.answers import Everything, described, one_of
from whetstone.api.caller import Caller, caller

router = Router(tags=["keys"])
YEAR_S = 366 * 24 * 3600


class NewKey(Schema):
    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=128)
    scopes: list[Scope] | None = Field(None, min_length=1, max_length=len(Scope))
    """None that the key which asks lacks itself. Left out: the same as that key has."""
    lasts_s: int | None = Field(None, ge=60, le=10 * YEAR_S)
    """Seconds until it expires. Left out: it is good until it is deleted."""


@described
class KeyJson(TypedDict):
    id: int
    name: str
    hint: str
    """Its first and last characters."""
    scopes: list[Annotated[str, one_of(*Scope.values)]]
    user: str
    """For whom it acts."""
    created_at: int
    expires_at: int | None
    last_used_at: int | None
    """To the minute."""
    is_current: bool
    """Whether it is the key that asks."""


@described
class KeyWithText(KeyJson):
    key: str
    """Shown this once: only its hash is kept."""


@router.get("")
def list_keys(request: HttpRequest) -> Everything[KeyJson]:
    """The team's, the newest first; without those that were revoked."""
    who = caller(request)
    rows = owned(ApiKey, who.team).filter(revoked_at=None).select_related("user").order_by("-created_at", "-id")
    return {"data": [key_json(one, who) for one in rows]}


@router.post("")
def create_key(request: HttpRequest, body: NewKey) -> KeyWithText:
    """A key that acts for the same person and team as the one that asks. `key` is told this once."""
    who = caller(request)
    scopes = _given(who, body.scopes)
    expires_at = timezone.now() + timedelta(seconds=body.lasts_s) if body.lasts_s is not None else None
    made, text = ApiKey.make(who.user, who.team, body.name, scopes=scopes, expires_at=expires_at)
    return {**key_json(made, who), "key": text}


def _given(who: Caller, asked: list[Scope] | None) -> list[str]:
    """Raises Fault auth.scope_exceeded: a key could else give itself what nobody gave it."""
    held = who.key.scopes if who.key else Scope.values
    wanted = held if asked is None else [scope.value for scope in asked]
    if beyond := [scope for scope in wanted if scope not in held]:
        raise Fault("auth.scope_exceeded", field="scopes", beyond=", ".join(beyond), scopes=", ".join(held))
    return wanted


@router.delete("/{key_id}", response={204: None})
def delete_key(request: HttpRequest, key_id: Annotated[int, Path(ge=1, lt=2**63)]) -> Status[None]:
    """It is refused from this moment on. A key may delete itself."""
    key = owned(ApiKey, caller(request).team).filter(id=key_id, revoked_at=None).first()
    if key is None:
        raise Fault("key.not_found", field="key_id", key=key_id)
    key.revoke()
    return Status(204, None)


def key_json(key: ApiKey, who: Caller) -> KeyJson:
    return {
        "id": key.pk,
        "name": key.name,
        "hint": key.hint,
        "scopes": key.scopes,
        "user": key.user.get_username(),
        "created_at": int(key.created_at.timestamp()),
        "expires_at": int(key.expires_at.timestamp()) if key.expires_at else None,
        "last_used_at": int(key.last_used_at.timestamp()) if key.last_used_at else None,
        "is_current": key == who.key,
    }
