"""The one way a job is watched: a cursor over its events, shared by everybody who watches it."""

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from itertools import takewhile
from typing import Any, ParamSpec, TypeVar

from asgiref.sync import sync_to_async
from django.db import connection

from contracts.job import ENDED
from whetstone.jobs.models import Event, Job

log = logging.getLogger(__name__)
POLL_S = 0.2
BATCH = 500
KEPT = 1000
"""Events of a job that is watched, held in memory for those who follow it."""
P = ParamSpec("P")
Answer = TypeVar("Answer")


def tail(job_id: str, after: int = 0, limit: int = BATCH) -> list[Event]:
    """Events of a job with a number above `after`, oldest first."""
    return list(Event.objects.filter(job_id=job_id, number__gt=after).order_by("number").defer("rows")[:limit])


def as_json(event: Event) -> dict[str, Any]:
    """An event as browsers and scripts read it: what it says, under the name by which readers follow it."""
    data: dict[str, Any] = event.data
    step = {"step": event.step} if event.step is not None else {}
    own = {"number": event.number, "attempt": event.attempt, "at": event.at.timestamp(), "type": event.type}
    return data | step | own


def _apart(ask: Callable[P, Answer]) -> Callable[P, Awaitable[Answer]]:
    """Ask the database in a thread and over a connection of its own: a watch outlives the request that began it."""

    def asked(*args: P.args, **kwargs: P.kwargs) -> Answer:
        try:
            return ask(*args, **kwargs)
        finally:
            connection.close()

    return sync_to_async(asked, thread_sensitive=False)


_tail = _apart(tail)


@_apart
def _newest(job_id: str) -> tuple[int, str]:
    return Job.objects.values_list("last_event", "status").get(id=job_id)


class Watch:
    """Reads a job's new events once for all viewers of this process."""

    _open: dict[str, "Watch"] = {}
    are_closing = False
    """Set when this process is told to stop: no watch goes on."""

    def __init__(self, job_id: str) -> None:
        self.job_id = job_id
        self.newest = 0
        self._read: deque[Event] = deque(maxlen=KEPT)
        """The newest events, oldest first, with none between them left out."""
        self._read_after = 0
        """The number below the first of them."""
        self.has_ended = False
        self.viewers = 0
        self._changed = asyncio.Condition()
        self._poller: asyncio.Task[None] | None = None

    @classmethod
    def join(cls, job_id: str) -> "Watch":
        watch = cls._open.setdefault(job_id, cls(job_id))
        watch.viewers += 1
        if watch._poller is None:
            watch._poller = asyncio.create_task(watch._poll())
        return watch

    def leave(self) -> None:
        self.viewers -= 1
        if self.viewers == 0:
            Watch._open.pop(self.job_id, None)
            if self._poller:
                self._poller.cancel()

    async def beyond(self, number: int, timeout_s: float) -> bool:
        """Wait until there is an event above `number`. False when the time is up or the job has told all."""
        async with self._changed:
            try:
                async with asyncio.timeout(timeout_s):
                    await self._changed.wait_for(lambda: self.newest > number or self.has_ended or Watch.are_closing)
            except TimeoutError:
                return False
        return self.newest > number

    def known(self, after: int) -> list[Event] | None:
        """The events above `after`, where all of them are at hand."""
        if not self._read or after < self._read_after:
            return None
        new = list(takewhile(lambda event: event.number > after, reversed(self._read)))
        return new[::-1][:BATCH]

    async def _take_in(self, newest: int) -> None:
        """Reads what is new since the last look. The first look reads nothing: who comes late asks for himself."""
        if self.newest == 0:
            self._read_after = newest
        elif newest > self.newest:
            for event in await _tail(self.job_id, self.newest):
                if len(self._read) == KEPT:
                    self._read_after = self._read[0].number
                self._read.append(event)
            newest = self._read[-1].number if self._read else newest
        self.newest = max(newest, self.newest)

    async def _poll(self) -> None:
        while True:
            try:
                newest, status = await _newest(self.job_id)
                before = self.newest
                await self._take_in(newest)
            except Exception as error:  # a database that is away for a while must not end the watch
                log.warning("job=%s could not be watched: %s", self.job_id, error)
                await asyncio.sleep(5 * POLL_S)
                continue
            async with self._changed:
                self.has_ended = status in ENDED
                if self.newest > before or self.has_ended or Watch.are_closing:
                    self._changed.notify_all()
            await asyncio.sleep(POLL_S)


async def follow(job_id: str, after: int, quiet_s: float = 15.0) -> AsyncIterator[Event | None]:
    """Every event above `after` as it comes; None after a quiet while, so that the connection is kept alive.

    Ends when the job has ended and everything was told, or when this process is told to stop.
    """
    watch = Watch.join(job_id)
    try:
        while not Watch.are_closing:
            events = watch.known(after)
            if events is None:
                events = await _tail(job_id, after)
            for event in events:
                after = event.number
                yield event
            if events:
                continue
            if watch.has_ended and watch.newest <= after:
                return
            if not await watch.beyond(after, quiet_s) and not watch.has_ended:
                yield None
    finally:
        watch.leave()
