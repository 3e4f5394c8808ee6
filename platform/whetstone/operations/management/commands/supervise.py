"""`manage.py supervise`: the supervisor process."""

import signal
import sys
import threading
from typing import Any

from django.core.management.base import BaseCommand

from whetstone.jobs.supervise import run_forever
from whetstone.webhooks.deliver import Deliverer


class Command(BaseCommand):
    help = "Ends leases that ran out, announces waiting jobs again, sends webhooks. Any number may run."

    def handle(self, *args: Any, **options: Any) -> None:
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        deliverer = threading.Thread(target=Deliverer().run, args=[threading.Event()], name="webhooks", daemon=True)
        deliverer.start()  # beside the rounds: a receiver that answers slowly holds up no job
        run_forever()
