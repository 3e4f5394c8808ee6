"""Mailboxes: how a request that came to one web process finds the engine whose host is connected to another.

Whoever listens takes whole handfuls of letters. In Redis they are lists, and any number of web processes share them;
without a Redis the platform has one web process, and they are in its memory.
"""

import asyncio
import time
from collections import defaultdict, deque
from collections.abc import Iterable
from typing import Any, Protocol

from django.conf import settings
from redis import asyncio as redis

KEPT_S = 120
"""How long letters lie that nobody takes: their senders have given up by then."""
HANDFUL = 512


class Mailboxes(Protocol):
    async def post(self, address: str, letters: Iterable[bytes]) -> None: ...

    async def take(self, address: str, timeout_s: float) -> list[bytes]:
        """All letters that are there, oldest first. Waits for the first one; empty when the time is up."""
        ...


class InMemory:
    def __init__(self) -> None:
        self._boxes: dict[str, deque[bytes]] = defaultdict(deque)
        self._arrived: dict[str, asyncio.Event] = defaultdict(asyncio.Event)
        self._used: dict[str, float] = {}

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

    def _forget_unused(self) -> None:
        old = time.monotonic() - KEPT_S
        for address in [address for address, at in self._used.items() if at < old]:
            for store in (self._used, self._boxes, self._arrived):
                store.pop(address, None)


class InRedis:
    def __init__(self, url: str) -> None:
        self._url = url
        self._clients: dict[asyncio.AbstractEventLoop, Any] = {}  # Any: redis-py types its answers as unions

    async def post(self, address: str, letters: Iterable[bytes]) -> None:
        key = _key(address)
        async with self._redis.pipeline(transaction=False) as pipe:
            pipe.rpush(key, *letters)
            pipe.expire(key, KEPT_S)
            await pipe.execute()

    async def take(self, address: str, timeout_s: float) -> list[bytes]:
        key = _key(address)
        first = await self._redis.blpop([key], timeout=timeout_s)
        if first is None:
            return []
        rest = await self._redis.lpop(key, HANDFUL - 1)
        return [first[1], *(rest or [])]

    @property
    def _redis(self) -> Any:
        """A connection belongs to the loop that opened it."""
        loop = asyncio.get_running_loop()
        if loop not in self._clients:
            self._clients[loop] = redis.Redis.from_url(self._url, socket_connect_timeout=5)
        return self._clients[loop]


def _key(address: str) -> str:
    return f"whetstone:mail:{address}"


def _mailboxes() -> Mailboxes:
    broker = settings.ENVIRONMENT.broker
    return InRedis(broker) if broker.startswith(("redis://", "rediss://")) else InMemory()


mailboxes = _mailboxes()
