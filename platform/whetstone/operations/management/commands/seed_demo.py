"""`manage.py seed_demo`: creates (or finds) what the demo starts from, in a running platform."""

import json
import sys
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from whetstone.jobs.models import Job
from whetstone.operations.presence import require_platform
from whetstone.operations.seed import SeedingFailed, seed


class Command(BaseCommand):
    help = "Makes the demo's user, model, datasets and evaluator. The last line it prints is JSON that names them."

    def handle(self, *args: Any, **options: Any) -> None:
        require_platform()
        try:
            seeded = seed(_say)
        except SeedingFailed as error:
            raise CommandError(str(error)) from None
        self.stdout.write(json.dumps(asdict(seeded)))


def _say(job: Job) -> None:
    print(
        f"\rstarter model: {job.phase or job.status} {job.step}/{job.total_steps} ",
        end="",
        file=sys.stderr,
        flush=True,
    )
