"""`manage.py restore FILE`: a backup, put into an empty platform."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from whetstone.operations.archive import CannotRestore
from whetstone.operations.restore import restore


class Command(BaseCommand):
    help = "Puts a backup into an empty platform. Stop web, supervisor and workers first."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--force", action="store_true", help="replace what is in the database now")

    def handle(self, *args: Any, file: Path, force: bool, **options: Any) -> None:
        try:
            done = restore(file, force)
        except CannotRestore as error:
            raise CommandError(str(error)) from None
        self.stdout.write(f"{done.rows} rows, {done.files} files; {done.queued} jobs ran and go on from a checkpoint")
        for sentence in done.missing:
            self.stderr.write(sentence)
        if done.missing:
            raise CommandError(f"{len(done.missing)} files are missing. Copy them into the store, then run: doctor")
