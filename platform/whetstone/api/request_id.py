"""Every answer names its request, and so does every line we log of it: a client's log can be matched with ours."""

import re
import secrets

from django.http import HttpRequest, HttpResponseBase

from whetstone.api.middleware import AsyncMiddleware
from whetstone.logs import ABOUT

_GOOD = re.compile(r"[A-Za-z0-9._-]{1,64}")


class RequestIdMiddleware(AsyncMiddleware):
    """Sets `x-request-id`: the caller's own when it sent a harmless one, else a new one."""

    async def __call__(self, request: HttpRequest) -> HttpResponseBase:
        given = request.headers.get("x-request-id", "")
        name = given if _GOOD.fullmatch(given) else f"req_{secrets.token_hex(12)}"
        about = ABOUT.set({"request_id": name})
        try:
            response = await self.get_response(request)
        finally:
            ABOUT.reset(about)
        response["x-request-id"] = name
        return response
