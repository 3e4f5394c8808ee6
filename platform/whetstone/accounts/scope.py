"""The one place that decides what a request may see: its team's objects, and nothing else."""

from typing import TypeVar

from django.db.models import QuerySet
from django.http import HttpRequest

from whetstone.accounts.models import Membership, Owned, Team, User

T = TypeVar("T", bound=Owned)


def owned(model: type[T], team: Team | int) -> QuerySet[T]:
    """The rows of a model that belong to the team, or to the one of this id."""
    return model._default_manager.filter(team=team)


def team_of(user: User) -> Team:
    """The team a person works in: the first one joined, or one of their own."""
    team = user.teams.order_by("membership__id").first()
    return team or found_team(user)


def found_team(user: User) -> Team:
    """A team for somebody who has none yet."""
    team, _ = Team.objects.get_or_create(slug=f"team-{user.pk}", defaults={"name": user.get_username()})
    Membership.objects.get_or_create(team=team, user=user)
    return team


def person(request: HttpRequest) -> User:
    """The logged-in person behind a page request."""
    assert isinstance(request.user, User)
    return request.user
