"""What holds for every request before it reaches a view, and for every answer of the API on its way out."""

from django.http import HttpRequest, HttpResponse, HttpResponseBase

from whetstone.api.errors import answer_to
from whetstone.api.middleware import AsyncMiddleware
from whetstone.api.rate import tell

API = ("/v1/", "/api/")


class FrontDoorMiddleware(AsyncMiddleware):
    """Turns away addresses that no database can look up, and puts Django's own errors into the API's envelope."""

    async def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = await self._answer(request)
        tell(request, response)
        return response

    async def _answer(self, request: HttpRequest) -> HttpResponseBase:
        response = _turned_away(request) or await self.get_response(request)
        if response.status_code == 204:
            del response["Content-Type"]  # of no content; a client that believes it would read JSON
        is_json = response.headers.get("content-type", "").startswith("application/json")
        if response.status_code < 400 or is_json or not f"{request.path_info}/".startswith(API):
            return response
        answer = answer_to(request, response.status_code)
        if "Allow" in response:
            answer["Allow"] = response["Allow"]
        return answer


def _turned_away(request: HttpRequest) -> HttpResponse | None:
    """PostgreSQL refuses to compare a text with a null character: such a thing is not there."""
    if "\0" in request.path_info:
        return HttpResponse(status=404)
    if "%00" in request.META.get("QUERY_STRING", ""):
        return HttpResponse(status=400)
    return None
