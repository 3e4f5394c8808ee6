"""One envelope for every error of the API, in OpenAI's form: `{"error": {message, type, param, code}}`."""

import json
import logging
from collections.abc import Sequence
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext as _
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError, ValidationError

from contracts.fault import CATALOGUE, Fault, FaultReport
from graders import GraderError

log = logging.getLogger(__name__)
STATUS = {
    "auth.missing": 401,
    "auth.invalid": 401,
    "model.not_found": 404,
    "job.not_found": 404,
    "dataset.too_large": 413,
}


def fault_json(report: FaultReport) -> dict[str, Any]:
    """A fault as the API says it, in the reader's language."""
    _cause, sentence, next_step = CATALOGUE[report.code]
    return {
        "message": _(sentence).format(**report.params),
        "type": "invalid_request_error",
        "param": report.field,
        "code": report.code,
        "next_step": _(next_step).format(**report.params),
    }


def error(status: int, message: str, *, code: str | None = None, param: str | None = None, **more: Any) -> JsonResponse:
    """An answer that says what was wrong."""
    kind = "server_error" if status >= 500 else "invalid_request_error"
    body = {"message": message, "type": kind, "param": param, "code": code} | more
    return JsonResponse({"error": body}, status=status)


def answer_errors(api: NinjaAPI) -> None:
    """Teach an API to answer everything that can go wrong in the envelope."""
    api.add_exception_handler(Fault, _fault)
    api.add_exception_handler(GraderError, _grader)
    api.add_exception_handler(ValidationError, _invalid)
    api.add_exception_handler(AuthenticationError, lambda request, exc: _fault(request, Fault("auth.missing")))
    api.add_exception_handler(
        Http404, lambda request, exc: error(404, _("There is no such thing here."), code="not_found")
    )
    api.add_exception_handler(
        PermissionDenied, lambda request, exc: error(403, _("You may not do this."), code="forbidden")
    )
    api.add_exception_handler(HttpError, _http)
    api.add_exception_handler(Exception, _unexpected)


def _fault(request: HttpRequest, exc: Any) -> HttpResponse:
    return JsonResponse({"error": fault_json(exc.report)}, status=STATUS.get(exc.report.code, 400))


def _grader(request: HttpRequest, exc: Any) -> HttpResponse:
    first = exc.problems[0]
    return error(400, first.message, code="evaluator.invalid", param=first.path)


def _invalid(request: HttpRequest, exc: Any) -> HttpResponse:
    first = exc.errors[0]
    return error(400, _said(first), code=first["type"], param=path_of(request, first["loc"], first["type"]))


def _said(problem: dict[str, Any]) -> str:
    message: str = problem["msg"].removeprefix("Value error, ")
    return message[:1].upper() + message[1:]


def _http(request: HttpRequest, exc: Any) -> HttpResponse:
    return error(exc.status_code, str(exc))


def _unexpected(request: HttpRequest, exc: Any) -> HttpResponse:
    log.error("%s %s failed", request.method, request.path, exc_info=exc)
    return error(500, _("Something went wrong on our side. The log of the platform says what."), code="internal_error")


def path_of(request: HttpRequest, loc: Sequence[str | int], kind: str) -> str | None:
    """Pydantic's place of an error as a path in the caller's own JSON: the names of union members are left out."""
    if len(loc) < 2 or loc[0] != "body":
        return str(loc[-1]) if loc else None
    try:
        document: Any = json.loads(request.body)
    except ValueError:
        return None
    return ".".join(json_path(document, loc[2:], kind)) or None


def json_path(document: Any, loc: Sequence[str | int], kind: str) -> list[str]:
    """The keys of `loc` that lead through the document; a missing field's own name is kept."""
    path: list[str] = []
    for place, key in enumerate(loc):
        if _leads(document, key):
            document = document[key]
        elif not (kind == "missing" and place == len(loc) - 1):
            continue
        path.append(str(key))
    return path


def _leads(document: Any, key: str | int) -> bool:
    if isinstance(document, dict):
        return key in document
    return isinstance(document, list) and isinstance(key, int) and key < len(document)
