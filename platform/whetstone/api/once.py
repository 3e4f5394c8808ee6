"""`Idempotency-Key`: a POST that is sent again because its answer was lost does not do its work twice."""

import hashlib
import json
import re
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from ninja import Status

from contracts.fault import Fault
from whetstone.accounts.models import Replay
from whetstone.accounts.replays import begin, finish, give_up
from whetstone.api.caller import caller
from whetstone.evaluators.seal import seal, unseal

LARGEST = 1024 * 1024
"""Bytes of an answer that is kept. What makes something answers with far less."""
_GOOD = re.compile(r"[\x21-\x7e]{1,255}")


def once(view: Callable[..., Any]) -> Callable[..., Any]:  # Any: whatever a route takes and answers
    """Around every route: it stands behind the key's check and the body's, so what these refuse leaves no trace."""

    @wraps(view)
    def answered(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        key = request.headers.get("Idempotency-Key")
        if request.method != "POST" or key is None:
            return view(request, *args, **kwargs)
        row = _begin(request, key)
        if row.status is not None:
            return _again(row)
        try:
            result = view(request, *args, **kwargs)
        except BaseException:
            give_up(row)
            raise
        _keep(row, result)
        return result

    return answered


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


def _again(row: Replay) -> HttpResponse:
    content = unseal(row.answer, _("a stored answer"))
    answer = HttpResponse(content, status=row.status, content_type="application/json")
    answer["idempotent-replayed"] = "true"
    return answer


def _keep(row: Replay, result: Any) -> None:
    """Only what made something is kept. A refusal made nothing, and a stream has been read when it is over."""
    status, value = (result.status_code, result.value) if isinstance(result, Status) else (200, result)
    if isinstance(value, HttpResponse) or status >= 300 or not isinstance(value, dict | list | None):
        give_up(row)
        return
    content = "" if value is None else json.dumps(value, cls=DjangoJSONEncoder)
    if len(content) > LARGEST:
        give_up(row)
        return
    finish(row, status, seal(content))
