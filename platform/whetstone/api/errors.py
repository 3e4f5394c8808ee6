"""One envelope for every error of the API, in OpenAI's form: `{"error": {message, type, param, code}}`."""

import logging
from collections.abc import Sequence
from typing import Any, Literal, NotRequired

import orjson
from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.http.multipartparser import MultiPartParserError
from django.utils.translation import gettext as _
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError, ValidationError
from pydantic import ConfigDict, with_config
from typing_extensions import TypedDict  # Pydantic reads no other before Python 3.12

from contracts.catalogue import CATALOGUE
from contracts.fault import Fault, FaultReport
from graders import GraderError
from whetstone.api.misnomers import sentence_of
from whetstone.artifacts.disk import is_full

log = logging.getLogger(__name__)
STATUS = {
    "auth.missing": 401,
    "auth.invalid": 401,
    "auth.expired": 401,
    "auth.revoked": 401,
    "auth.scope_missing": 403,
    "auth.scope_exceeded": 403,
    "body.too_large": 413,
    "body.too_slow": 408,
    "dataset.too_large": 413,
    "conversation.changed_meanwhile": 409,
    "conversation.too_large": 413,
    "evaluator.changed_meanwhile": 409,
    "evaluator.too_large": 413,
    "artifact.lost": 500,
    "platform.disk_low": 503,
    "rate.exceeded": 429,
    "upload.too_large": 413,
    "deployment.model_missing": 404,
    "deployment.not_found": 404,
    "deployment.name_taken": 409,
    "deployment.not_possible": 409,
    "deployment.off": 409,
    "deployment.no_engine": 503,
    "deployment.no_room": 503,
    "deployment.loading": 503,
    "deployment.failed": 503,
    "server.stopping": 503,
    "engine.busy": 503,
    "engine.lost": 503,
    "completion.broken": 500,
    "score.broken": 500,
    "label.being_published": 409,
    "replay.in_progress": 409,
    "upload.wrong_place": 409,
    "folder.admins_only": 403,
    "template.no_jail": 503,
    "platform.disk_full": 507,
}
COME_AGAIN_S = {
    "deployment.no_engine": 10,
    "deployment.no_room": 30,
    "deployment.loading": 3,
    "deployment.failed": 60,
    "server.stopping": 3,
    "engine.busy": 1,
    "engine.lost": 1,
}
"""What passes by itself, and when it is worth to ask again."""
CODES = {400: "request.invalid", 403: "forbidden", 404: "not_found", 405: "method_not_allowed", 413: "too_large"}


@with_config(ConfigDict(use_attribute_docstrings=True))
class ErrorJson(TypedDict):
    message: str
    type: Literal["invalid_request_error", "server_error"]
    param: str | None
    """The field at fault, as a path in the body: `method.grpo.hyperparameters.batch_size`."""
    code: str | None
    next_step: NotRequired[str]
    """What to do now."""
    params: NotRequired[dict[str, str | int | float]]
    """What the message speaks of, for a script that does not read it."""


class Error(TypedDict):
    error: ErrorJson


def fault_json(report: FaultReport) -> ErrorJson:
    """A fault as the API says it, in the reader's language."""
    _cause, sentence, next_step = CATALOGUE[report.code]
    return {
        "message": _(sentence).format(**report.params),
        "type": "server_error" if STATUS.get(report.code, 400) >= 500 else "invalid_request_error",
        "param": report.field,
        "code": report.code,
        "next_step": _(next_step).format(**report.params),
        "params": report.params,
    }


def error(status: int, message: str, *, code: str | None = None, param: str | None = None, **more: Any) -> JsonResponse:
    """An answer that says what was wrong."""
    kind = "server_error" if status >= 500 else "invalid_request_error"
    body = {"message": message, "type": kind, "param": param, "code": code} | more
    return JsonResponse({"error": body}, status=status)


def error_json(request: HttpRequest, exc: Exception) -> ErrorJson:
    """What broke in the midst of an answer that has begun: the envelope's content, for its last line."""
    answer = answer_fault(request, exc) if isinstance(exc, Fault) else _unexpected(request, exc)
    told: ErrorJson = orjson.loads(answer.content)["error"]
    return told


def answer_errors(api: NinjaAPI) -> None:
    """Teach an API to answer everything that can go wrong in the envelope."""
    api.add_exception_handler(Fault, answer_fault)
    api.add_exception_handler(GraderError, _grader)
    api.add_exception_handler(ValidationError, _invalid)
    api.add_exception_handler(AuthenticationError, lambda request, exc: answer_fault(request, Fault("auth.missing")))
    api.add_exception_handler(HttpError, _http)
    for exception in DJANGO:
        api.add_exception_handler(exception, _django)
    api.add_exception_handler(Exception, _unexpected)


DJANGO: dict[type[Exception], int] = {
    Http404: 404,
    PermissionDenied: 403,
    MultiPartParserError: 400,
    RequestDataTooBig: 413,
    SuspiciousOperation: 400,
}


def _django(request: HttpRequest, exc: Any) -> HttpResponse:
    return answer_to(request, next(status for kind, status in DJANGO.items() if isinstance(exc, kind)))


def answer_to(request: HttpRequest, status: int) -> JsonResponse:
    """An error that has nothing more to say than its status."""
    messages = {
        403: _("You may not do this."),
        404: _("There is no such thing here."),
        405: _("This address does not take %(method)s.") % {"method": request.method},
        413: _("The request is too large."),
        500: _("Something went wrong on our side. The log of the platform says what."),
    }
    message = messages.get(status, _("The request could not be understood."))
    return error(status, message, code=CODES.get(status, "internal_error" if status >= 500 else "request.invalid"))


def answer_fault(request: HttpRequest, exc: Any) -> HttpResponse:
    """What the address names and is not there is a 404; what the body names and is not there makes it a wrong body."""
    report = exc.report
    in_address = request.resolver_match is not None and report.field in request.resolver_match.kwargs
    is_missing = report.code.endswith(".not_found") and in_address
    status = 404 if is_missing else STATUS.get(report.code, 400)
    return JsonResponse({"error": fault_json(report)}, status=status, headers=_advice(report.code, status))


def _advice(code: str, status: int) -> dict[str, str]:
    """OpenAI's client takes a 409 for a lock that will be free in a moment, unless it is told otherwise."""
    if code == "replay.in_progress":
        return {"retry-after": "1", "x-should-retry": "true"}
    if code in COME_AGAIN_S:
        return {"retry-after": str(COME_AGAIN_S[code])}
    return {"x-should-retry": "false"} if status == 409 or code == "replay.other_request" else {}


def _grader(request: HttpRequest, exc: Any) -> HttpResponse:
    first = exc.problems[0]
    return error(400, first.message, code="evaluator.invalid", param=first.path)


def _invalid(request: HttpRequest, exc: Any) -> HttpResponse:
    first = exc.errors[0]
    return error(400, _said(first), code=first["type"], param=path_of(request, first["loc"], first["type"]))


def _said(problem: dict[str, Any]) -> str:
    if problem["type"] == "extra_forbidden":
        return sentence_of(str(problem["loc"][-1]))
    message: str = problem["msg"].removeprefix("Value error, ")
    return message[:1].upper() + message[1:]


def _http(request: HttpRequest, exc: Any) -> HttpResponse:
    if isinstance(exc.__cause__, Fault):  # ninja wraps whatever the parser raises
        return answer_fault(request, exc.__cause__)
    return error(exc.status_code, str(exc), code=CODES.get(exc.status_code))


def _unexpected(request: HttpRequest, exc: Any) -> HttpResponse:
    log.error("%s %s failed", request.method, request.path, exc_info=exc)
    if is_full(exc):
        return answer_fault(request, Fault("platform.disk_full"))
    return answer_to(request, 500)


def path_of(request: HttpRequest, loc: Sequence[str | int], kind: str) -> str | None:
    """Pydantic's place of an error as a path in the caller's own JSON: the names of union members are left out."""
    if len(loc) < 2 or loc[0] != "body":
        return str(loc[-1]) if loc else None
    try:
        document: Any = orjson.loads(request.body)
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
