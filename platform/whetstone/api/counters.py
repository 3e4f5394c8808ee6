"""Numbers that are only added to, by name: in a Redis for all web processes, or in the memory of the only one.

Django's cache opens a new connection to Redis for every request that asks it, which was a sixth of a creation's time.
"""

import threading
import time
from typing import Protocol

import redis
from django.conf import settings


class Counters(Protocol):
    def add_one(self, name: str, beside: str) -> tuple[int, int]:
        """One more of `name`, and how many of `beside` there are."""
        ...

    def take_back(self, name: str) -> None: ...


class InMemory:
    def __init__(self, kept_s: float) -> None:
        self._kept_s = kept_s
        self._counts: dict[str, tuple[int, float]] = {}
        """By name: how many, and when the first of them came. The oldest stands first."""
        self._lock = threading.Lock()

    def add_one(self, name: str, beside: str) -> tuple[int, int]:
        with self._lock:
            self._forget_old()
            count, since = self._counts.get(name, (0, time.time()))
            self._counts[name] = count + 1, since
            return count + 1, self._counts.get(beside, (0, 0.0))[0]

    def take_back(self, name: str) -> None:
        with self._lock:
            count, since = self._counts[name]
            self._counts[name] = count - 1, since

    def _forget_old(self) -> None:
        while self._counts:
            name, (_, since) = next(iter(self._counts.items()))
            if time.time() - since < self._kept_s:
                return
            del self._counts[name]


class InRedis:
    def __init__(self, url: str, kept_s: float) -> None:
        self._kept_s = int(kept_s)
        self._redis = redis.Redis.from_url(url, socket_timeout=1, socket_connect_timeout=1)

    def add_one(self, name: str, beside: str) -> tuple[int, int]:
        """Raises redis.RedisError."""
        pipe = self._redis.pipeline(transaction=False)
        pipe.incr(_key(name))
        pipe.expire(_key(name), self._kept_s)
        pipe.get(_key(beside))
        count, _, other = pipe.execute()
        return count, int(other or 0)

    def take_back(self, name: str) -> None:
        self._redis.decr(_key(name))


def _key(name: str) -> str:
    return f"whetstone:count:{name}"


def counters(kept_s: float) -> Counters:
    broker = settings.ENVIRONMENT.broker
    return InRedis(broker, kept_s) if broker.startswith(("redis://", "rediss://")) else InMemory(kept_s)
