"""`manage.py createkey --user NAME`: prints an API key and nothing else."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from whetstone.accounts.models import ApiKey, User
from whetstone.accounts.scope import team_of
from whetstone.operations.presence import require_platform


class Command(BaseCommand):
    help = "Makes an API key for a person and prints it. It cannot be shown again."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--user", required=True, help="user name")
        parser.add_argument("--name", default="command line", help="what the key is for")

    def handle(self, *args: Any, user: str, name: str, **options: Any) -> None:
        require_platform()
        person = User.objects.filter(username=user).first()
        if person is None:
            raise CommandError(f"There is no user “{user}”. Make one with: python manage.py createsuperuser")
        _key, text = ApiKey.make(person, team_of(person), name)
        self.stdout.write(text)
