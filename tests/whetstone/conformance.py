"""Holds every answer of the API that a test here gets against the API's document."""

import json
import re
from functools import lru_cache
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from jsonschema import Draft202012Validator

from whetstone.api.document import document
from whetstone.api.middleware import AsyncMiddleware

Json = Any  # Any: JSON
ERROR = {"$ref": "#/components/schemas/Error"}


class ConformanceMiddleware(AsyncMiddleware):
    """What is wrong is kept until the test is over: raised here, it would be answered like any other error."""

    problems: list[str] = []

    async def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = await self.get_response(request)
        if operations := _operations(request):
            self.problems += [
                f"{request.method} {request.path}: {one}" for one in _problems(request, response, operations)
            ]
        return response


def _operations(request: HttpRequest) -> Json:
    """The verbs of the route. None for what is no part of the API."""
    route = request.resolver_match.route if request.resolver_match else ""
    return _whole()["paths"].get("/" + re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", route))


def _problems(request: HttpRequest, response: HttpResponseBase, operations: Json) -> list[str]:
    answers = operations.get((request.method or "").lower(), {}).get("responses", {})
    status, kind = str(response.status_code), response.headers.get("content-type", "").partition(";")[0]
    if status not in answers:
        return _against(ERROR, response) if response.status_code >= 400 else [f"{status} is not in the document"]
    told = answers[status].get("content", {})
    if told and kind not in told:
        return [f"{kind} is not in the document"]
    return _against(told[kind]["schema"], response) if kind == "application/json" and told else []


def _against(schema: Json, response: HttpResponseBase) -> list[str]:
    assert isinstance(response, HttpResponse)
    found = _validator(json.dumps(schema)).iter_errors(json.loads(response.content))
    return [f"{one.json_path} {one.message[:500]}" for one in found]


@lru_cache
def _validator(schema: str) -> Draft202012Validator:
    return Draft202012Validator(json.loads(schema) | {"components": _whole()["components"]})


@lru_cache(maxsize=1)
def _whole() -> Json:
    """The document, in which an object has no fields but those that are told."""
    return _closed(document())


def _closed(schema: Json) -> Json:
    if isinstance(schema, list):
        return [_closed(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    inner = {key: _closed(value) for key, value in schema.items()}
    is_object = schema.get("type") == "object" and "properties" in schema
    return {"additionalProperties": False} | inner if is_object else inner
