"""`Idempotency-Key`: a POST that is sent again because its answer was lost does not do its work twice."""

import asyncio
import hashlib
import json
import re
from collections.abc import Callable
from functools import wraps
from inspect import iscoroutinefunction
from typing import Any

from asgiref.sync import sync_to_async
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils.translation import gettext as _
from ninja import NinjaAPI

from contracts.fault import Fault
from whetstone.accounts.models import Replay
from whetstone.accounts.replays import begin, finish, give_up
from whetstone.api.caller import caller
from whetstone.evaluators.seal import seal, unseal

LARGEST = 1024 * 1024
"""Bytes of an answer that is kept. What makes something answers with far less."""
REPLAY = "whetstone.replay"
"""Where a request carries its row to its answer."""
_GOOD = re.compile(r"[\x21-\x7e]{1,255}")


def send_once(api: NinjaAPI) -> None:
    """Teach an API to take the header."""
    api.add_decorator(_once, mode="operation")
    api.add_decorator(_kept, mode="view")


def _once(view: Callable[..., Any]) -> Callable[..., Any]:  # Any: whatever a route takes and answers
    """Around every route: it stands behind the key's check and the body's, so what these refuse leaves no trace."""

    @wraps(view)
    def answered(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        stored = _stored(request)
        return view(request, *args, **kwargs) if stored is None else stored

    @wraps(view)
    async def answered_later(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        stored = await sync_to_async(_stored)(request)
        return await view(request, *args, **kwargs) if stored is None else stored

    return answered_later if iscoroutinefunction(view) else answered


def _stored(request: HttpRequest) -> HttpResponse | None:
    """The answer to a request that was sent before. None when it is to be answered now."""
    key = request.headers.get("Idempotency-Key")
    if request.method != "POST" or key is None:
        return None
    row = _begin(request, key)
    if row.status is not None:
        return _again(row)
    request.META[REPLAY] = row
    return None


def _kept(run: Callable[..., Any]) -> Callable[..., Any]:  # Any: an answer, or one to be awaited
    """Around all of a request: here its answer is as it will be sent, errors too."""

    @wraps(run)
    def answered(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        response: HttpResponseBase = run(request, *args, **kwargs)
        _keep(request, response)
        return response

    @wraps(run)
    async def answered_later(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            response: HttpResponseBase = await run(request, *args, **kwargs)
        except asyncio.CancelledError:  # nobody waits for the answer any more
            await asyncio.shield(sync_to_async(_forget)(request))
            raise
        if REPLAY in request.META:
            await sync_to_async(_keep)(request, response)
        return response

    return answered_later if iscoroutinefunction(run) else answered


def _begin(request: HttpRequest, key: str) -> Replay:
    if not _GOOD.fullmatch(key):
        detail = _("An idempotency key has 1 to 255 characters, and no spaces among them.")
        raise Fault("request.invalid", field="Idempotency-Key", detail=detail)
    who = caller(request)
    return begin(who.team, who.name, key, _fingerprint(request))


def _fingerprint(request: HttpRequest) -> str:
    """Of an upload, what its files hold counts, not the boundary that a client draws anew each time."""
    digest = hashlib.sha256(f"{request.method} {request.get_full_path()}\n".encode())
    if request.content_type != "multipart/form-data":
        digest.update(request.body)
        return digest.hexdigest()
    digest.update(json.dumps(sorted((name, request.POST.getlist(name)) for name in request.POST)).encode())
    for field in sorted(request.FILES):
        for file in request.FILES.getlist(field):
            digest.update(json.dumps([field, file.name, file.size]).encode())
            for chunk in file.chunks():
                digest.update(chunk)
    return digest.hexdigest()


def _forget(request: HttpRequest) -> None:
    if (row := request.META.pop(REPLAY, None)) is not None:
        give_up(row)


def _again(row: Replay) -> HttpResponse:
    content = unseal(row.answer, _("a stored answer"))
    answer = HttpResponse(content, status=row.status, content_type="application/json")
    answer["idempotent-replayed"] = "true"
    return answer


def _keep(request: HttpRequest, response: HttpResponseBase) -> None:
    """Only what made something is kept. A refusal made nothing, and a stream has been read when it is over."""
    row: Replay | None = request.META.pop(REPLAY, None)
    if row is None:
        return
    made = 200 <= response.status_code < 300
    if not made or not isinstance(response, HttpResponse) or len(response.content) > LARGEST:
        give_up(row)
        return
    finish(row, response.status_code, seal(response.content.decode()))
