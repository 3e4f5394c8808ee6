"""`manage.py backup FILE`: a consistent copy, while the platform runs."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from whetstone.operations.backup import back_up
from whetstone.operations.presence import require_platform


class Command(BaseCommand):
    help = "Writes the database and the list of all stored files into one tar. The platform may run meanwhile."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--with-artifacts", action="store_true", help="put the stored files themselves in, too")

    def handle(self, *args: Any, file: Path, with_artifacts: bool, **options: Any) -> None:
        require_platform()
        try:
            done = back_up(file, with_artifacts)
        except OSError as error:
            raise CommandError(f"The backup could not be written: {error}") from None
        for place in done.missing:
            self.stderr.write(f"{place} is not in the store, or is damaged; the backup lacks it.")
        kind = "with" if with_artifacts else "without"
        self.stdout.write(f"{file}: {done.rows} rows, {kind} {done.files} files of {done.size / 1024**2:.1f} MB")
        if done.missing:
            raise CommandError("The backup is not whole. `manage.py doctor` says more.")
