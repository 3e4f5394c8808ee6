"""An answer as OpenAI's client reads it while it is written: server-sent events, `[DONE]` at the end."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Any

import orjson
from django.http import HttpRequest

from whetstone.api.errors import error_json

DONE = b"data: [DONE]\n\n"


async def lines(request: HttpRequest, chunks: AsyncGenerator[dict[str, Any], None]) -> AsyncIterator[bytes]:
    """What breaks in the midst of it is told in the envelope, after which the client raises an error, and no `[DONE]`.

    An answer that a client no longer reads is closed, and with it whatever writes it.
    """
    async with aclosing(chunks):
        try:
            async for chunk in chunks:
                yield b"data: " + orjson.dumps(chunk) + b"\n\n"
        except Exception as exc:
            yield b"data: " + orjson.dumps({"error": error_json(request, exc)}) + b"\n\n"
        else:
            yield DONE
