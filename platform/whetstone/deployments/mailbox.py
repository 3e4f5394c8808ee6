"""Mailboxes: how a request that came to one web process finds the engine whose host is connected to another.

Whoever listens takes whole handfuls of letters. In Redis they are lists, and any number of web processes share them;
without a Redis the platform has one web process, and they are in its memory.

What goes on over HTTP from here is collected instead of taken: it lies in a tray until whoever collects says which
letter was the last that arrived, so that a lost answer loses none of them.
"""

import asyncio
import secrets
import time
from collections import defaultdict, deque
from collections.abc import Iterable
from typing import Any, Protocol

from django.conf import settings
from redis import asyncio as redis

KEPT_S = 120
"""How long letters lie that nobody takes: their senders have given up by then."""
HANDFUL = 512
SLICE_S = 2.0
"""How often whoever waits looks into the tray: an earlier question of his, which broke off, may have filled it."""
MARK = 8
"""Letters of a mark."""
Marked = tuple[str, bytes]
"""A letter, with the mark that it got when it was sent or collected."""


class Mailboxes(Protocol):
    async def post(self, address: str, letters: Iterable[bytes]) -> None: ...

    async def take(self, address: str, timeout_s: float) -> list[bytes]:
        """All letters that are there, oldest first. Waits for the first one; empty when the time is up."""
        ...

    async def collect(self, address: str, mark: str, timeout_s: float) -> tuple[list[bytes], str]:
        """The same, and the mark of the last one. Those after `mark` that were collected before come again first."""
        ...


class InMemory:
    def __init__(self) -> None:
        self._boxes: dict[str, deque[bytes]] = defaultdict(deque)
        self._arrived: dict[str, asyncio.Event] = defaultdict(asyncio.Event)
        self._used: dict[str, float] = {}
        self._trays: dict[str, list[Marked]] = defaultdict(list)

    async def post(self, address: str, letters: Iterable[bytes]) -> None:
        self._forget_unused()
        self._used.setdefault(address, time.monotonic())
        self._boxes[address].extend(letters)
        self._arrived[address].set()

    async def take(self, address: str, timeout_s: float) -> list[bytes]:
        self._used[address] = time.monotonic() + timeout_s
        try:
            async with asyncio.timeout(timeout_s):
                await self._arrived[address].wait()
        except TimeoutError:
            return []
        box = self._boxes[address]
        taken = [box.popleft() for _ in range(min(HANDFUL, len(box)))]
        if not box:
            self._arrived[address].clear()
        return taken

    async def collect(self, address: str, mark: str, timeout_s: float) -> tuple[list[bytes], str]:
        self._trays[address] = after(self._trays[address], mark)
        until = time.monotonic() + timeout_s
        while not self._trays[address] and time.monotonic() < until:
            taken = await self.take(address, min(SLICE_S, timeout_s))
            self._trays[address] += [(secrets.token_hex(MARK // 2), letter) for letter in taken]
        return told(self._trays[address])

    def _forget_unused(self) -> None:
        old = time.monotonic() - KEPT_S
        for address in [address for address, at in self._used.items() if at < old]:
            for store in (self._used, self._boxes, self._arrived, self._trays):
                store.pop(address, None)


class InRedis:
    def __init__(self, url: str) -> None:
        self._url = url
        self._clients: dict[asyncio.AbstractEventLoop, Any] = {}  # Any: redis-py types its answers as unions

    async def post(self, address: str, letters: Iterable[bytes]) -> None:
        key = _key(address)
        async with self._redis.pipeline(transaction=False) as pipe:
            pipe.rpush(key, *(secrets.token_hex(MARK // 2).encode() + letter for letter in letters))
            pipe.expire(key, KEPT_S)
            await pipe.execute()

    async def take(self, address: str, timeout_s: float) -> list[bytes]:
        key = _key(address)
        first = await self._redis.blpop([key], timeout=timeout_s)
        if first is None:
            return []
        rest = await self._redis.lpop(key, HANDFUL - 1)
        return [letter for _, letter in map(_read, (first[1], *(rest or [])))]

    async def collect(self, address: str, mark: str, timeout_s: float) -> tuple[list[bytes], str]:
        """Letters go from the box into the tray in one step of Redis, so that nothing falls between them."""
        box, tray = _key(address), f"{_key(address)}:tray"
        until = time.monotonic() + timeout_s
        while True:
            lying = [_read(one) for one in await self._redis.lrange(tray, 0, -1)]
            left = after(lying, mark)
            if len(left) < len(lying):
                await self._redis.ltrim(tray, len(lying) - len(left), -1)
            if left or time.monotonic() >= until:
                return told(left)
            if await self._redis.blmove(box, tray, min(SLICE_S, timeout_s), "LEFT", "RIGHT") is not None:
                await self._move_rest(box, tray)

    async def _move_rest(self, box: str, tray: str) -> None:
        async with self._redis.pipeline(transaction=False) as pipe:
            for _ in range(min(HANDFUL - 1, await self._redis.llen(box))):
                pipe.lmove(box, tray, "LEFT", "RIGHT")
            pipe.expire(tray, KEPT_S)
            await pipe.execute()

    @property
    def _redis(self) -> Any:
        """A connection belongs to the loop that opened it."""
        loop = asyncio.get_running_loop()
        if loop not in self._clients:
            self._clients[loop] = redis.Redis.from_url(self._url, socket_connect_timeout=5)
        return self._clients[loop]


def _read(kept: bytes) -> Marked:
    return kept[:MARK].decode(), kept[MARK:]


def after(tray: list[Marked], mark: str) -> list[Marked]:
    """What was collected after the letter of this mark; all of it where there is no such letter."""
    places = [place for place, (own, _) in enumerate(tray) if own == mark]
    return tray[places[0] + 1 :] if places else tray


def told(tray: list[Marked]) -> tuple[list[bytes], str]:
    return [letter for _, letter in tray], tray[-1][0] if tray else ""


def _key(address: str) -> str:
    return f"whetstone:mail:{address}"


def _mailboxes() -> Mailboxes:
    broker = settings.ENVIRONMENT.broker
    return InRedis(broker) if broker.startswith(("redis://", "rediss://")) else InMemory()


mailboxes = _mailboxes()
