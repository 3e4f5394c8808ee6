"""The web process: `uvicorn whetstone.asgi:application`."""

import os
import signal
import threading
from types import FrameType
from typing import Any

from django.core.asgi import get_asgi_application

from whetstone.api.intake import Receive, Send, with_limits

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "whetstone.settings")
_django = with_limits(get_asgi_application())


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
