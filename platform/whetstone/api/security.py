"""Django's security headers."""

from collections.abc import Awaitable
from typing import Any, cast

from django.http import HttpRequest, HttpResponseBase
from django.middleware.security import SecurityMiddleware


class SecurityHeadersMiddleware(SecurityMiddleware):
    """Writes them where it stands. Django's own goes to a thread and back for it, before a request and after it."""

    async def __acall__(self, request: HttpRequest) -> HttpResponseBase:
        redirect = self.process_request(request)
        answer: Any = redirect or await cast(Awaitable[HttpResponseBase], self.get_response(request))
        response: HttpResponseBase = self.process_response(request, answer)  # Any: a stream is answered with, too
        return response
