"""`manage.py supervise`: the supervisor process."""

import signal
import sys
import threading
from typing import Any

from django.core.management.base import BaseCommand

from whetstone.deployments.serving_tests import run as carry_serving_tests
from whetstone.jobs.supervise import run_forever
from whetstone.modelhub.carry import run as carry_imports
from whetstone.webhooks.deliver import Deliverer

IMPORTS_AT_ONCE = 2
"""A small model need not wait for a large one."""


class Command(BaseCommand):
    help = "Ends leases that ran out, announces waiting jobs again, sends webhooks, imports models. Any number may run."

    def handle(self, *args: Any, **options: Any) -> None:
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        deliverer = threading.Thread(target=Deliverer().run, args=[threading.Event()], name="webhooks", daemon=True)
        deliverer.start()  # beside the rounds: a receiver that answers slowly holds up no job
        for number in range(IMPORTS_AT_ONCE):
            threading.Thread(
                target=carry_imports, args=[threading.Event()], name=f"import-{number}", daemon=True
            ).start()
        threading.Thread(
            target=carry_serving_tests, args=[threading.Event()], name="serving-tests", daemon=True
        ).start()
        run_forever()
