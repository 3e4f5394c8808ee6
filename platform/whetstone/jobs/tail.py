"""The one way a job is watched: a cursor over its events, shared by everybody who watches it."""

import asyncio
import logging
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from datetime import datetime
from itertools import takewhile
from typing import Any, NamedTuple, ParamSpec, TypeVar

from asgiref.sync import sync_to_async
from django.db import connection
from django.db.models import Q, QuerySet

from contracts.job import ENDED
from whetstone.jobs.models import Event, Job

log = logging.getLogger(__name__)
POLL_S = 0.2
BATCH = 500
KEPT = 1000
"""Events of a job that is watched, held in memory for those who follow it."""
TOGETHER = 100
"""Jobs of which one query asks what they told."""
P = ParamSpec("P")
Answer = TypeVar("Answer")


class ToldEvent(NamedTuple):
    """What an `Event` says, without the weight of a row that could be saved: they are read by the thousand."""

    number: int
    attempt: int
    type: str
    step: int | None
    at: datetime
    data: dict[str, Any]


def told(events: QuerySet[Event]) -> list[ToldEvent]:
    return [ToldEvent._make(row) for row in events.values_list(*ToldEvent._fields)]


def tail(job_id: str, after: int = 0, limit: int = BATCH) -> list[ToldEvent]:
    """Events of a job with a number above `after`, oldest first."""
    return told(Event.objects.filter(job_id=job_id, number__gt=after).order_by("number")[:limit])


def as_json(event: ToldEvent) -> dict[str, Any]:
    """An event as browsers and scripts read it: what it says, under the name by which readers follow it."""
    data = event.data
    step = {"step": event.step} if event.step is not None else {}
    own = {"number": event.number, "attempt": event.attempt, "at": event.at.timestamp(), "type": event.type}
    return data | step | own


class Look(NamedTuple):
    """What a job was found to have told."""

    job_id: str
    newest: int
    has_ended: bool
    events: list[ToldEvent]


def look(seen: dict[str, int]) -> list[Look]:
    """Look at jobs of which so much was seen: one query for all, and one for what some of them told since.

    Where nothing was seen nothing is read: who comes late asks for himself.
    """
    jobs = list(Job.objects.filter(id__in=seen).order_by().values_list("id", "last_event", "status"))
    since = _told_since({job_id: seen[job_id] for job_id, newest, _ in jobs if 0 < seen[job_id] < newest})
    return [Look(job_id, newest, status in ENDED, since[job_id]) for job_id, newest, status in jobs]


def _told_since(seen: dict[str, int]) -> defaultdict[str, list[ToldEvent]]:
    """What follows on the numbers seen, oldest first: at most a batch of each job, whose new numbers leave none out."""
    found: defaultdict[str, list[ToldEvent]] = defaultdict(list)
    pairs = list(seen.items())
    for first in range(0, len(pairs), TOGETHER):
        some = pairs[first : first + TOGETHER]
        beyond = (Q(job_id=job_id, number__range=(number + 1, number + BATCH)) for job_id, number in some)
        rows = Event.objects.filter(Q(*beyond, _connector=Q.OR)).order_by("number")
        for job_id, *row in rows.values_list("job_id", *ToldEvent._fields):
            found[job_id].append(ToldEvent._make(row))
    return found


def _apart(ask: Callable[P, Answer]) -> Callable[P, Awaitable[Answer]]:
    """Ask the database in a thread and over a connection of its own: a watch outlives the request that began it."""

    def asked(*args: P.args, **kwargs: P.kwargs) -> Answer:
        try:
            return ask(*args, **kwargs)
        finally:
            connection.close()

    return sync_to_async(asked, thread_sensitive=False)


_tail, _look = _apart(tail), _apart(look)


class Watch:
    """A job that is watched in this process. One reader looks after all of them, for all their viewers."""

    _open: dict[str, "Watch"] = {}
    _reader: asyncio.Task[None] | None = None
    are_closing = False
    """Set when this process is told to stop: no watch goes on."""

    def __init__(self, job_id: str) -> None:
        self.job_id = job_id
        self.newest = 0
        self._read: deque[ToldEvent] = deque(maxlen=KEPT)
        """The newest events, oldest first, with none between them left out."""
        self._read_after = 0
        """The number below the first of them."""
        self.has_ended = False
        self.viewers = 0
        self._changed = asyncio.Event()
        """Set once, at the next change; then another takes its place."""

    @classmethod
    def join(cls, job_id: str) -> "Watch":
        watch = cls._open.setdefault(job_id, cls(job_id))
        watch.viewers += 1
        if cls._reader is None:
            cls._reader = asyncio.create_task(cls._read_on())
        return watch

    def leave(self) -> None:
        self.viewers -= 1
        if self.viewers == 0:
            Watch._open.pop(self.job_id, None)
        if not Watch._open and Watch._reader:
            Watch._reader.cancel()
            Watch._reader = None

    async def beyond(self, number: int, timeout_s: float) -> bool:
        """Wait until there is an event above `number`. False when the time is up or the job has told all."""
        if not (self.newest > number or self.has_ended or Watch.are_closing):
            with suppress(TimeoutError):
                async with asyncio.timeout(timeout_s):
                    await self._changed.wait()
        return self.newest > number

    def known(self, after: int) -> list[ToldEvent] | None:
        """The events above `after`, where all of them are at hand."""
        if 0 < self.newest <= after:
            return []
        if not self._read or after < self._read_after:
            return None
        new = list(takewhile(lambda event: event.number > after, reversed(self._read)))
        return new[::-1][:BATCH]

    def _take_in(self, found: Look) -> None:
        if self.newest == 0:
            self.newest = self._read_after = found.newest
        for event in found.events:
            if len(self._read) == KEPT:
                self._read_after = self._read[0].number
            self._read.append(event)
            self.newest = event.number
        self.has_ended = found.has_ended and self.newest >= found.newest

    def _tell(self) -> None:
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    @classmethod
    async def _read_on(cls) -> None:
        while True:
            watches = dict(cls._open)
            try:
                found = await _look({job_id: watch.newest for job_id, watch in watches.items()})
            except Exception as error:  # a database that is away for a while must not end the watch
                log.warning("%d jobs could not be watched: %s", len(watches), error)
                await asyncio.sleep(5 * POLL_S)
                continue
            for one in found:
                watch = watches[one.job_id]
                before = watch.newest
                watch._take_in(one)
                if watch.newest > before or watch.has_ended or cls.are_closing:
                    watch._tell()
            await asyncio.sleep(POLL_S)


async def follow(job_id: str, after: int, quiet_s: float = 15.0) -> AsyncIterator[list[ToldEvent]]:
    """All events above `after` as they come; none after a quiet while, so that the connection is kept alive.

    Ends when the job has ended and everything was told, or when this process is told to stop.
    """
    watch = Watch.join(job_id)
    try:
        while not Watch.are_closing:
            newest, events = watch.newest, watch.known(after)
            if events is None:
                events = await _tail(job_id, after)
                after = after if events else max(after, newest)  # what was told up to there is gone
            if events:
                after = events[-1].number
                yield events
            elif watch.has_ended and watch.newest <= after:
                return
            elif not await watch.beyond(after, quiet_s) and not watch.has_ended:
                yield []
    finally:
        watch.leave()
