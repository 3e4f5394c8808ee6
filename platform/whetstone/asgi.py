"""The web process: `uvicorn whetstone.asgi:application`."""

import os
import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from types import FrameType
from typing import Any

import django
from asgiref.sync import ThreadSensitiveContext
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


async def _live(receive: Receive, send: Send) -> None:
    """The server starts: its own signal handlers are in place. It says that it stops when all answers have ended."""
    await receive()
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGTERM, signal.SIGINT):
            _end_streams_on(number)
    await send({"type": "lifespan.startup.complete"})
    await receive()
    await send({"type": "lifespan.shutdown.complete"})


def _end_streams_on(number: signal.Signals) -> None:
    """Streams of events have no end of their own, and a server that is told to stop would wait for them."""
    from whetstone.jobs.tail import Watch  # models: Django has to be set up

    before = signal.getsignal(number)

    def stop(number: int, frame: FrameType | None) -> None:
        Watch.are_closing = True
        if callable(before):
            before(number, frame)

    if callable(before):
        signal.signal(number, stop)
