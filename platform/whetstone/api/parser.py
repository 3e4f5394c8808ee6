"""Reading what a caller sent: strict JSON, and no text that a database cannot keep."""

from collections.abc import Iterator
from typing import Any

import orjson
from django.http import HttpRequest
from django.utils.datastructures import MultiValueDict
from ninja.parser import Parser

from contracts.fault import Fault

NULL = "\0"


class StrictParser(Parser):
    """No NaN, no half of a surrogate pair, no endless nesting, and no null character, which PostgreSQL refuses."""

    def parse_body(self, request: HttpRequest) -> Any:
        """Raises Fault request.not_json or request.invalid."""
        try:
            document = orjson.loads(request.body)
        except orjson.JSONDecodeError as error:
            raise Fault("request.not_json", detail=str(error)) from None
        if b"\\u0000" in request.body and any(NULL in text for text in _texts(document)):
            raise _null_character()
        return document

    def parse_querydict(
        self, data: "MultiValueDict[str, Any]", list_fields: list[str], request: HttpRequest
    ) -> dict[str, Any]:
        """Raises Fault request.invalid, with the field's name."""
        for name, values in data.lists():
            if any(isinstance(value, str) and NULL in value for value in values):
                raise _null_character(name)
        return super().parse_querydict(data, list_fields, request)


def _null_character(field: str | None = None) -> Fault:
    return Fault("request.invalid", field=field, detail="A text holds a null character (U+0000).")


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield key
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)
