"""The API's OpenAPI document: `/v1` and `/api/v1` in one, from the routes themselves."""

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from django.http import HttpRequest, JsonResponse
from ninja import NinjaAPI

from whetstone.api.answers import View, contents
from whetstone.api.native.surface import native_api
from whetstone.api.openai.surface import openai_api

SURFACES = (("/v1/", openai_api, ""), ("/api/v1/", native_api, "native_"))
ABOUT = """\
Jobs, files, models and graders as OpenAI's client knows them under `/v1`; what OpenAI has no word for under `/api/v1`.
Every error has the form of `Error`; `next_step` says what to do. A `POST` with an `Idempotency-Key` is done once."""
KEYS = {
    "key": {"type": "http", "scheme": "bearer", "description": "`wk-…`, from the settings page"},
    "azure": {
        "type": "apiKey",
        "in": "header",
        "name": "api-key",
        "description": "the same, as Azure's client sends it",
    },
}
Document = dict[str, Any]  # Any: JSON


def openapi(request: HttpRequest) -> JsonResponse:
    return JsonResponse(document())


@lru_cache(maxsize=1)
def document() -> Document:
    views = {operation_id: view for _prefix, api, _name in SURFACES for operation_id, view in _views(api)}
    answers, schemas = contents(views)
    paths: Document = {}
    for prefix, api, name in SURFACES:
        found = api.get_openapi_schema(path_prefix=prefix)
        _merge(schemas, found["components"]["schemas"])
        for path, verbs in found["paths"].items():
            paths[path] = {verb: _told(told, answers, name) for verb, told in verbs.items()}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Whetstone", "version": "1", "description": ABOUT, "license": {"name": "Apache-2.0"}},
        "servers": [{"url": "/"}],
        "security": [{name: []} for name in KEYS],
        "paths": dict(sorted(paths.items())),
        "components": {"schemas": dict(sorted(schemas.items())), "securitySchemes": KEYS},
    }


def _merge(schemas: Document, more: Document) -> None:
    """Raises ValueError: one name for two things, which only a change of the code mends."""
    for name, schema in more.items():
        if schemas.setdefault(name, schema) != schema:
            raise ValueError(f"two different schemas of the API are called {name}")


def _told(told: Document, answers: Document, name: str) -> Document:
    """An operation with a short name, what it answers, and the form of its errors."""
    function = told["operationId"].removeprefix("whetstone_api_").partition("_")[2]
    responses = {str(status): dict(answer) for status, answer in told["responses"].items()}
    if told["operationId"] in answers:
        responses["200"]["content"] = answers[told["operationId"]]
    responses["default"] = {
        "description": "What is wrong, and what to do",
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
    }
    kept = {key: value for key, value in told.items() if key not in ("security", "operationId", "responses")}
    return {"operationId": f"{name}{function}", **kept, "responses": responses}


def _views(api: NinjaAPI) -> Iterator[tuple[str, View]]:
    for _prefix, router in api._routers:  # the one way to a route's own function
        for path_view in router.path_operations.values():
            for operation in path_view.operations:
                yield api.get_openapi_operation_id(operation), operation.view_func
