"""`manage.py createkey --user NAME`: prints an API key and nothing else."""

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from whetstone.accounts.models import ApiKey, Scope, User
from whetstone.accounts.scope import team_of
from whetstone.operations.presence import require_platform

MOST_DAYS = 3650


class Command(BaseCommand):
    help = "Makes an API key for a person and prints it. It cannot be shown again."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--user", required=True, help="user name")
        parser.add_argument("--name", default="command line", help="what the key is for")
        every = ",".join(Scope.values)
        parser.add_argument("--scopes", default=every, help=f"what it may do, separated by commas (default: {every})")
        parser.add_argument("--expires-days", type=int, help="for how many days it is good (default: until revoked)")

    def handle(self, *args: Any, user: str, name: str, scopes: str, expires_days: int | None, **options: Any) -> None:
        require_platform()
        person = User.objects.filter(username=user).first()
        if person is None:
            raise CommandError(f"There is no user “{user}”. Make one with: python manage.py createsuperuser")
        if expires_days is not None and not 1 <= expires_days <= MOST_DAYS:
            raise CommandError(f"--expires-days takes a number from 1 to {MOST_DAYS}.")
        expires_at = timezone.now() + timedelta(days=expires_days) if expires_days is not None else None
        _key, text = ApiKey.make(person, team_of(person), name, scopes=_known(scopes), expires_at=expires_at)
        self.stdout.write(text)


def _known(scopes: str) -> list[str]:
    named = [name.strip() for name in scopes.split(",") if name.strip()]
    unknown = sorted(set(named) - set(Scope.values))
    if unknown or not named:
        raise CommandError(f"There is no scope “{', '.join(unknown)}”. There are: {', '.join(Scope.values)}.")
    return named
