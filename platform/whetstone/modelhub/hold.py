"""Who carries an import out: one process at a time, and another one when that has fallen silent."""

import time
from datetime import timedelta

from django.db.models import F, Q

from whetstone import clock
from whetstone.modelhub.models import Import

LEASE = timedelta(seconds=60)
EVERY_S = 1.0
"""How often progress is told."""


class Lost(Exception):
    """Somebody called the import off, or another supervisor has it."""


class Hold:
    """This process's hold on an import. Whatever it writes down, it writes only as long as it has it."""

    def __init__(self, one: Import) -> None:
        self._mine = Import.objects.filter(id=one.id, attempt=one.attempt, state=Import.State.RUNNING)
        self._told_at = time.monotonic()

    def tell(self, **fields: object) -> None:
        """Raises Lost."""
        self._told_at = time.monotonic()
        if not self._mine.update(**({"lease_until": clock.now() + LEASE} | fields)):
            raise Lost

    def now_and_then(self, **fields: object) -> None:
        """The same, at most once a second."""
        if time.monotonic() - self._told_at >= EVERY_S:
            self.tell(**fields)


def claim() -> Import | None:
    """One that is due, or whose holder fell silent: of several supervisors one gets it."""
    now = clock.now()
    silent = Q(state=Import.State.RUNNING, lease_until__lt=now)
    due = Import.objects.filter(Q(state=Import.State.QUEUED, due_at__lte=now) | silent)
    found = due.order_by("due_at").first()
    if found is None:
        return None
    mine = Import.objects.filter(id=found.id, attempt=found.attempt, state=found.state)
    held = {"attempt": F("attempt") + 1, "failures": F("failures") + 1, "lease_until": now + LEASE, "fault": None}
    if not mine.update(state=Import.State.RUNNING, **held):
        return None
    return Import.objects.select_related("team", "created_by", "token").get(id=found.id)
