"""Answers as JSON: orjson, because a page of a thousand events is mostly the writing of it."""

from typing import Any

import orjson
from django.http import HttpRequest
from ninja.renderers import BaseRenderer
from pydantic import BaseModel


class FastRenderer(BaseRenderer):
    media_type = "application/json"

    def render(self, request: HttpRequest, data: Any, *, response_status: int) -> bytes:
        """Texts that are translated late are written as they are read."""
        return orjson.dumps(data, default=_written)


def _written(value: object) -> object:
    return value.model_dump(mode="json") if isinstance(value, BaseModel) else str(value)
