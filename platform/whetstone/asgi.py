"""The web process: `uvicorn whetstone.asgi:application`."""

import asyncio
import os
import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from types import FrameType
from typing import Any

import django
from asgiref.sync import ThreadSensitiveContext
from django.conf import settings
from django.core.handlers.asgi import ASGIHandler
from django.core.signals import request_started
from django.db import close_old_connections, reset_queries

from whetstone.api.intake import Receive, Send, with_limits

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "whetstone.settings")


KEPT_THREADS = 32
"""How many wait for the next request. A rush has as many as it needs."""


class Handler(ASGIHandler):
    """Django's, with all from the first synchronous middleware to the view in one go in a thread that is used again.

    Left to itself it goes to the thread and back for each of them, and each time waits for the interpreter's lock; and
    it begins a thread for every request, and another one to wait for the first one's end.
    """

    _middleware_chain: Any  # Django's own, and untyped

    def __init__(self) -> None:
        super().__init__()
        self._idle: list[ThreadPoolExecutor] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:  # Any: as ASGI has it
        thread = self._idle.pop() if self._idle else ThreadPoolExecutor(1, "request")
        try:
            async with ThreadSensitiveContext(executor=thread):
                await self.handle(scope, receive, send)
        finally:
            if len(self._idle) < KEPT_THREADS:
                self._idle.append(thread)
            else:
                thread.shutdown(wait=False)

    def load_middleware(self, is_async: bool = True) -> None:
        super().load_middleware(is_async=False)
        self._middleware_chain = self._middleware_chain.awaitable  # made synchronous as a last step


django.setup(set_prefix=False)
for needless in (close_old_connections, reset_queries):  # each request ends by giving its connection back
    request_started.disconnect(needless)
_django = with_limits(Handler())


async def application(scope: Any, receive: Receive, send: Send) -> None:  # Any: as ASGI has it
    if scope["type"] == "lifespan":
        await _live(receive, send)
    else:
        await _django(scope, receive, send)


LOOK_S = 0.1
"""How often it is looked whether the answers have ended, when the process is told to stop."""


async def _live(receive: Receive, send: Send) -> None:
    """The server starts: its own signal handlers are in place. It says that it stops when all answers have ended."""
    await receive()
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGTERM, signal.SIGINT):
            _end_streams_on(number, asyncio.get_running_loop())
    await send({"type": "lifespan.startup.complete"})
    await receive()
    await send({"type": "lifespan.shutdown.complete"})


def _end_streams_on(number: signal.Signals, loop: asyncio.AbstractEventLoop) -> None:
    """Streams of events have no end of their own, and a server that is told to stop would wait for them.

    Answers have one. What engines say of them comes in by requests, so the server goes on listening until they ended;
    it takes no new question. Told a second time, it stops at once.
    """
    from whetstone.deployments.exchange import exchange
    from whetstone.jobs.tail import Watch  # models: Django has to be set up

    before = signal.getsignal(number)
    if not callable(before):
        return
    draining: set[asyncio.Task[None]] = set()

    async def drain(number: int) -> None:
        until = loop.time() + settings.ENVIRONMENT.web_drain_s
        while exchange.is_busy and loop.time() < until:
            await asyncio.sleep(LOOK_S)
        before(number, None)

    def stop(number: int, frame: FrameType | None) -> None:
        was_told, Watch.are_closing = Watch.are_closing, True
        if was_told or not exchange.is_busy:
            before(number, frame)
        else:
            exchange.is_closing = True
            loop.call_soon_threadsafe(lambda: draining.add(loop.create_task(drain(number))))

    signal.signal(number, stop)
