"""Bodies as they come in, and streams as they go out: what is too large or too slow ends here.

Django keeps all of a body before it looks at it, and waits for ever until a piece of a stream is taken.
"""

import asyncio
import logging
import secrets
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import Any

from django.conf import settings
from django.http import HttpRequest

from contracts.fault import Fault

log = logging.getLogger(__name__)
MB = 1024 * 1024
STALL_S = 60.0
"""How long a client may send nothing in the midst of a body, or take no piece of a stream. Uvicorn waits for ever."""
LINGER_S = 5.0
"""How long the rest of a body that was refused is read and thrown away: most clients read no answer before they have
sent it, and a connection that is cut under them loses the answer."""
AROUND_FILES = MB // 2
"""Of an upload, what is no file: boundaries and fields."""
WORKERS = "/api/worker/"

# Any: as ASGI has it
Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]
App = Callable[[Any, Receive, Send], Coroutine[Any, Any, None]]


class TurnedAway(Exception):
    """Carries its fault out of whoever was reading."""

    def __init__(self, fault: Fault) -> None:
        self.fault = fault


def with_limits(app: App, stall_s: float = STALL_S) -> App:
    """The same application, with limits on what it is sent, and on how long a stream of events waits for its reader."""

    async def limited(scope: Any, receive: Receive, send: Send) -> None:
        try:
            await app(scope, _Intake(scope, receive, stall_s), _Outgo(scope, send, stall_s))
        except TurnedAway as away:
            await _answer(away.fault, send)
            # Whoever asked first whether it may send must not be told now that it may.
            if away.fault.report.code == "body.too_large" and not _header(scope, b"expect"):
                await _linger(receive)
            await send({"type": "http.response.body", "body": b""})

    return limited


class _Intake:
    """Counts a body's bytes and the time between them."""

    def __init__(self, scope: Any, receive: Receive, stall_s: float) -> None:
        self._receive = receive
        self._stall_s = stall_s
        self._limit = _limit(scope)
        self._came = 0
        self._is_complete = False
        declared = _header(scope, b"content-length")
        self._is_refused = self._limit is not None and declared.isdigit() and int(declared) > self._limit

    async def __call__(self) -> Mapping[str, Any]:
        if self._is_complete:  # now it waits for the client to go away
            return await self._receive()
        if self._is_refused:
            raise self._too_large()
        try:
            async with asyncio.timeout(self._stall_s):
                message = await self._receive()
        except TimeoutError:
            raise TurnedAway(Fault("body.too_slow", seconds=round(self._stall_s))) from None
        self._came += len(message.get("body", b""))
        self._is_complete = not message.get("more_body", False)
        if self._limit is not None and self._came > self._limit:
            raise self._too_large()
        return message

    def _too_large(self) -> TurnedAway:
        assert self._limit is not None
        return TurnedAway(Fault("body.too_large", limit_mb=self._limit // MB))


class _Outgo:
    """Counts the time until a piece of a stream of events is taken. A byte now and then is not enough."""

    def __init__(self, scope: Any, send: Send, stall_s: float) -> None:
        self._path = scope.get("path", "")
        self._send = send
        self._stall_s = stall_s
        self._is_stream = False

    async def __call__(self, message: Mapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            kinds = (value for key, value in message.get("headers", ()) if key.lower() == b"content-type")
            self._is_stream = next(kinds, b"").startswith(b"text/event-stream")
        if not self._is_stream:
            return await self._send(message)
        try:
            async with asyncio.timeout(self._stall_s):
                await self._send(message)
        except TimeoutError:
            log.warning("path=%s its client took nothing for %.0f s: the stream is closed", self._path, self._stall_s)
            raise asyncio.CancelledError from None  # to Django it is as if the client had gone


def _limit(scope: Any) -> int | None:
    """In bytes. Workers send checkpoints, and are held to the room on the disk."""
    if scope["path"].startswith(WORKERS):
        return None
    if _header(scope, b"content-type").startswith(b"multipart/form-data"):
        return int(settings.ENVIRONMENT.max_upload_mb * MB + AROUND_FILES)
    return int(settings.DATA_UPLOAD_MAX_MEMORY_SIZE)


def _header(scope: Any, name: bytes) -> bytes:
    return next((value.lower() for key, value in scope["headers"] if key.lower() == name), b"")


async def _answer(fault: Fault, send: Send) -> None:
    """The envelope; the connection ends with it."""
    from whetstone.api.errors import answer_fault  # Django has to be set up

    response = answer_fault(HttpRequest(), fault)
    response["x-request-id"] = f"req_{secrets.token_hex(12)}"
    response["connection"] = "close"
    headers = [(name.lower().encode(), value.encode()) for name, value in response.items()]
    await send({"type": "http.response.start", "status": response.status_code, "headers": headers})
    await send({"type": "http.response.body", "body": response.content, "more_body": True})


async def _linger(receive: Receive) -> None:
    try:
        async with asyncio.timeout(LINGER_S):
            while (await receive()).get("more_body", False):
                pass
    except TimeoutError:
        pass  # it had its time
