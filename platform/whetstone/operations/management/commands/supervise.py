"""`manage.py supervise`: the supervisor process."""

import signal
import sys
from typing import Any

from django.core.management.base import BaseCommand

from whetstone.jobs.supervise import run_forever


class Command(BaseCommand):
    help = "Ends leases that ran out and announces waiting jobs again. Any number may run."

    def handle(self, *args: Any, **options: Any) -> None:
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        run_forever()
