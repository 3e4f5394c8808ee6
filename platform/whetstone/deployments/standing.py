"""Who holds a deployment right now, asked of the database once for all requests of this process that wait for it."""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from asgiref.sync import sync_to_async
from django.db import connection

from contracts.fault import FaultReport
from whetstone.deployments.models import Deployment

log = logging.getLogger(__name__)
POLL_S = 0.25
HELD_POLLS = 8
"""A deployment that is ready is looked at only every so many times."""


@dataclass(frozen=True)
class Standing:
    status: str
    host: str | None
    loads: int
    fault: FaultReport | None


class Standings:
    """Looks while anybody wants to know."""

    def __init__(self) -> None:
        self._wanted: Counter[str] = Counter()
        self._known: dict[str, Standing] = {}
        self._doubted: set[str] = set()
        """Somebody has reason to think that what is known is no longer so."""
        self._changed = asyncio.Condition()
        self._looking: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def watching(self, deployment: str, seen: Standing) -> AsyncIterator[None]:
        """`seen`: what the one who asks has just read, so that a model that is ready is asked at once."""
        self._wanted[deployment] += 1
        self._known[deployment] = seen
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look())
        try:
            yield
        finally:
            self._wanted[deployment] -= 1
            if not self._wanted[deployment]:
                del self._wanted[deployment]
                self._known.pop(deployment, None)

    def of(self, deployment: str) -> Standing | None:
        """What was seen last. None before the first look, and once the deployment is deleted."""
        return self._known.get(deployment)

    async def settled(self, deployment: str, timeout_s: float) -> Standing | None:
        """Wait until it is ready or failed. What was seen last, when the time is up."""

        def is_settled() -> bool:
            known = self._known.get(deployment)
            return known is not None and known.status not in ("queued", "loading", "stopping")

        async with self._changed:
            try:
                async with asyncio.timeout(timeout_s):
                    await self._changed.wait_for(is_settled)
            except TimeoutError:
                pass
        return self._known.get(deployment)

    async def changed(self, deployment: str, seen: Standing, timeout_s: float) -> None:
        """Wait until it stands otherwise than was seen, or the time is up."""
        until = time.monotonic() + timeout_s
        while self._known.get(deployment) == seen and time.monotonic() < until:
            self._doubted.add(deployment)
            await asyncio.sleep(POLL_S)

    async def _look(self) -> None:
        rounds = 0
        while self._wanted:
            pending = [name for name in self._wanted if rounds % HELD_POLLS == 0 or not self._is_sure(name)]
            self._doubted.clear()
            if pending:
                try:
                    found = await _read(pending)
                except Exception as error:  # a database that is away for a while must not end the answers
                    log.warning("deployments could not be looked at: %s", error)
                else:
                    await self._learn(pending, found)
            rounds += 1
            await asyncio.sleep(POLL_S)

    async def _learn(self, asked: list[str], found: dict[str, Standing]) -> None:
        async with self._changed:
            for name in asked:
                if name in found and name in self._wanted:
                    self._known[name] = found[name]
                else:
                    self._known.pop(name, None)
            self._changed.notify_all()

    def _is_sure(self, name: str) -> bool:
        known = self._known.get(name)
        return known is not None and known.status == "ready" and name not in self._doubted


def standing_of(row: Deployment) -> Standing:
    return Standing(row.status, row.host.name if row.host else None, row.loads, row.fault_report)


def _standings_of(names: list[str]) -> dict[str, Standing]:
    try:
        rows = Deployment.objects.filter(id__in=names).select_related("host")
        return {row.id: standing_of(row) for row in rows}
    finally:
        connection.close()


_read = sync_to_async(_standings_of, thread_sensitive=False)
