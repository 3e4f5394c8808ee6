"""How long requests take, by route: addresses of single jobs would be endless."""

import time

from django.http import HttpRequest, HttpResponseBase

from whetstone.api.metrics import REQUESTS
from whetstone.api.middleware import AsyncMiddleware

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class TimingMiddleware(AsyncMiddleware):
    """Measures until the answer begins: a stream of events may go on for hours."""

    async def __call__(self, request: HttpRequest) -> HttpResponseBase:
        start = time.perf_counter()
        response = await self.get_response(request)
        method = request.method if request.method in METHODS else "other"
        route = request.resolver_match.route if request.resolver_match else "none"
        REQUESTS.labels(method, route, response.status_code).observe(time.perf_counter() - start)
        return response
