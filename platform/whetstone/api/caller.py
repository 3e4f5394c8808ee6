"""Who is calling: a script with a key, or a page with its session."""

from dataclasses import dataclass
from typing import Any, cast

from django.http import HttpRequest
from ninja.security import HttpBearer, SessionAuth

from contracts.fault import Fault
from whetstone.accounts.models import ApiKey, Team, User, hash_of
from whetstone.accounts.scope import person, team_of


@dataclass(frozen=True)
class Caller:
    user: User
    team: Team


class ByKey(HttpBearer):
    """`Authorization: Bearer wk-…`."""

    def authenticate(self, request: HttpRequest, token: str) -> Caller:
        key = ApiKey.objects.select_related("user", "team").filter(hash=hash_of(token), revoked_at=None).first()
        if key is None or not key.user.is_active:
            raise Fault("auth.invalid")
        key.touch()
        return Caller(key.user, key.team)


class BySession(SessionAuth):
    """The session of a logged-in page; Django's CSRF check applies."""

    def _get_key(self, request: HttpRequest) -> str | None:
        """Without a session there is nothing to forge: such a caller lacks a key, not a CSRF token."""
        return super()._get_key(request) if self.param_name in request.COOKIES else None

    def authenticate(self, request: HttpRequest, key: str | None) -> Caller | None:
        if not request.user.is_authenticated:
            return None
        user = person(request)
        return Caller(user, team_of(user))


def caller(request: HttpRequest) -> Caller:
    """The caller of an authenticated route."""
    return cast(Caller, cast(Any, request).auth)


AUTH = [ByKey(), BySession()]
