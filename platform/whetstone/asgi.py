"""The web process: `uvicorn whetstone.asgi:application`."""

import os
import signal
import threading
from types import FrameType
from typing import Any

import django
from django.core.handlers.asgi import ASGIHandler

from whetstone.api.intake import Receive, Send, with_limits

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "whetstone.settings")


class Handler(ASGIHandler):
    """Django's, with all from the first synchronous middleware to the view in one go in the request's thread.

    Left to itself it goes to the thread and back for each of them, and each time waits for the interpreter's lock.
    """

    _middleware_chain: Any  # Django's own, and untyped

    def load_middleware(self, is_async: bool = True) -> None:
        super().load_middleware(is_async=False)
        self._middleware_chain = self._middleware_chain.awaitable  # made synchronous as a last step


django.setup(set_prefix=False)
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
