"""`manage.py doctor`: finds and explains what does not fit together."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from whetstone.operations.doctor import examine
from whetstone.operations.presence import require_platform


class Command(BaseCommand):
    help = "Compares database and artifact store, while the platform runs. Exit 1 when something is wrong."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--deep", action="store_true", help="read every stored file and compare its hash")
        parser.add_argument("--fix", action="store_true", help="mend what can be mended without losing anything")

    def handle(self, *args: Any, deep: bool, fix: bool, **options: Any) -> None:
        require_platform()
        diagnosis = examine(deep=deep, fix=fix)
        for finding in diagnosis.findings:
            hint = "  [--fix does it]" if finding.mend and not fix else ""
            self.stdout.write(f"{finding.kind}: {finding.about} {finding.what}.\n    {finding.advice}{hint}")
        if fix and diagnosis.findings:
            self.stdout.write(f"{diagnosis.mended} of {len(diagnosis.findings)} mended.")
        if not diagnosis.is_well:
            raise CommandError(f"{len(diagnosis.findings) - diagnosis.mended} things are wrong.")
        self.stdout.write("All is well.")
