"""Django's security headers."""

from django.http import HttpRequest, HttpResponseBase
from django.middleware.security import SecurityMiddleware


class SecurityHeadersMiddleware(SecurityMiddleware):
    """Writes them where it stands. Django's own goes to a thread and back for it, before a request and after it."""

    async def __acall__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.process_request(request) or await self.get_response(request)
        return self.process_response(request, response)
