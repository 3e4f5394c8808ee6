"""`manage.py up`: the whole platform on one machine."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from whetstone.operations.processes import CannotStart, Platform


class Command(BaseCommand):
    help = "Starts web, supervisor and one worker, and stops them all on Ctrl-C."

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_place(parser)

    def handle(self, *args: Any, host: str, port: int, **options: Any) -> None:
        try:
            with Platform(host, port) as platform:
                self.stdout.write(f"Whetstone is at {platform.url}  (Ctrl-C stops it; logs: {platform.logs})")
                self.stdout.flush()
                platform.watch()
        except CannotStart as error:
            raise CommandError(str(error)) from None


def add_place(parser: ArgumentParser) -> None:
    """The options that say where the platform lives."""
    parser.add_argument("--home", help="folder of database, artifacts and secrets (default: .whetstone)")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--port", type=int, default=8000)
