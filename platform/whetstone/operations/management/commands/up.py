"""`manage.py up`: the whole platform on one machine."""

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from whetstone.accounts.models import User
from whetstone.operations.processes import CannotStart, Platform


class Command(BaseCommand):
    help = "Starts web, supervisor and one worker, and stops them all on Ctrl-C."

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_place(parser)

    def handle(self, *args: Any, host: str, port: int, **options: Any) -> None:
        try:
            with Platform(host, port) as platform:
                self.stdout.write(f"Whetstone is at {platform.url}  (Ctrl-C stops it; logs: {platform.logs})")
                if platform.hint:
                    self.stdout.write(platform.hint)
                if not User.objects.exists():
                    self.stdout.write(_first_user(platform))
                self.stdout.flush()
                platform.watch()
        except CannotStart as error:
            raise CommandError(str(error)) from None
        except KeyboardInterrupt:  # while it was still starting: what had started is stopped
            return


def _first_user(platform: Platform) -> str:
    command = f"WHETSTONE_HOME={platform.home} {sys.executable} manage.py createsuperuser"
    return f"Nobody can log in yet. Make the first user with:\n  {command}"


def add_place(parser: ArgumentParser) -> None:
    """The options that say where the platform lives."""
    parser.add_argument("--home", help="folder of database, artifacts and secrets (default: .whetstone)")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--port", type=int, default=8000)
