"""Who is calling: a script with a key, or a page with its session."""

from dataclasses import dataclass
from typing import Any, cast

from django.http import HttpRequest
from ninja.security import APIKeyHeader, HttpBearer, SessionAuth

from contracts.fault import Fault
from whetstone.accounts.models import ApiKey, Team, User, hash_of
from whetstone.accounts.passes import PREFIX, read
from whetstone.accounts.scope import person, team_of
from whetstone.api.rate import spend
from whetstone.api.scopes import scope_of
from whetstone.jobs.attempts import still_holds
from whetstone.lookup import Lookup

KEY = Lookup(lambda hash: ApiKey.objects.select_related("user", "team").filter(hash=hash))


@dataclass(frozen=True)
class Caller:
    user: User
    team: Team
    key: ApiKey | None = None
    """None for a page, which has every scope, and for a judge's pass."""
    models: frozenset[str] | None = None
    """What a judge's pass may ask: it can do nothing else. None for everybody else."""

    @property
    def name(self) -> str:
        """What is counted and remembered of a caller is filed under it."""
        if self.models is not None:
            return f"judge:{self.team.pk}"
        return f"key:{self.key.pk}" if self.key else f"user:{self.user.pk}"

    def require_model(self, name: str) -> None:
        """Raises Fault auth.invalid."""
        if self.models is not None and name not in self.models:
            raise Fault("auth.invalid")


class ByKey(HttpBearer):
    """`Authorization: Bearer wk-…`."""

    def authenticate(self, request: HttpRequest, token: str) -> Caller:
        return admitted(request, token)


class ByAzureKey(APIKeyHeader):
    """`api-key: wk-…`, as the client for Azure sends it."""

    param_name = "api-key"

    def authenticate(self, request: HttpRequest, key: str | None) -> Caller | None:
        return admitted(request, key) if key else None


def admitted(request: HttpRequest, token: str) -> Caller:
    """Raises Fault auth.invalid, auth.revoked, auth.expired, auth.scope_missing or rate.exceeded."""
    if token.startswith(PREFIX):
        return _by_pass(request, token)
    key = KEY.first(hash_of(token))
    if key is None or not key.user.is_active:
        raise Fault("auth.invalid")
    if key.revoked_at is not None:
        raise Fault("auth.revoked", at=f"{key.revoked_at:%Y-%m-%d}")
    if key.expires_at is not None and key.has_expired:
        raise Fault("auth.expired", at=f"{key.expires_at:%Y-%m-%d}")
    _require_scope(request, key)
    found = Caller(key.user, key.team, key)
    spend(request, found.name)
    key.touch()
    return found


def _by_pass(request: HttpRequest, token: str) -> Caller:
    """A grader that asks a judge of this platform. Nobody in person."""
    route = request.resolver_match.route if request.resolver_match else ""
    found = read(token)
    if found is None or route != "v1/chat/completions" or (found.attempt and not still_holds(found.attempt)):
        raise Fault("auth.invalid")
    team = Team.objects.filter(pk=found.team).first()
    if team is None:
        raise Fault("auth.invalid")
    return Caller(User(username="judge", is_active=False), team, models=found.models)


def _require_scope(request: HttpRequest, key: ApiKey) -> None:
    route = request.resolver_match.route if request.resolver_match else ""
    needed = scope_of(request.method or "", route)
    if needed not in key.scopes:
        raise Fault("auth.scope_missing", scope=needed.value, scopes=", ".join(key.scopes) or "–")


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


AUTH = [ByKey(), ByAzureKey(), BySession()]
