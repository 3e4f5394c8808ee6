"""What each route answers: the annotation of its function, which mypy holds it to, as a schema for the document."""

import inspect
from collections.abc import Callable
from functools import reduce
from operator import or_
from types import UnionType
from typing import Any, Generic, Literal, TypeVar, Union, get_args, get_origin

from django.http import HttpResponseBase
from ninja import Status
from ninja.schema import NinjaGenerateJsonSchema
from pydantic import ConfigDict, Field, TypeAdapter, with_config
from typing_extensions import TypedDict  # Pydantic reads no other before Python 3.12

from whetstone.api.errors import Error

T = TypeVar("T")
View = Callable[..., Any]  # Any: whatever a route takes and answers
Schema = dict[str, Any]  # Any: JSON

described = with_config(ConfigDict(use_attribute_docstrings=True))
"""Around a class whose fields have something to say, so that the document says it, too."""


def one_of(*values: str) -> Any:  # Any: as Pydantic's Field is
    """For a text that can be one of these alone."""
    return Field(json_schema_extra={"enum": list(values)})


class Listing(TypedDict, Generic[T]):
    """All there are."""

    object: Literal["list"]
    data: list[T]


class Page(Listing[T], Generic[T]):
    """A page of rows. The id of the last one is the `after` of the next page."""

    has_more: bool
    first_id: str | None
    last_id: str | None


class Everything(TypedDict, Generic[T]):
    """All there are."""

    data: list[T]


SERVER_SENT_EVENT: Schema = {
    "type": "object",
    "description": "One event of the stream.",
    "properties": {"data": {"type": "string", "description": "An object's JSON; `[DONE]` in the last one."}},
    "required": ["data"],
}


def contents(views: dict[str, View]) -> tuple[Schema, Schema]:
    """By name, a view's answers by media type; and the schemas that these refer to, `Error` among them.

    Nothing for a view that answers with a file, or whose statuses are listed at its route.
    """
    shapes = {name: shape for name, view in views.items() if (shape := _shape(view)) is not None}
    found, more = TypeAdapter.json_schemas(
        [(name, "validation", TypeAdapter(shape)) for name, shape in (shapes | {"Error": Error}).items()],
        ref_template="#/components/schemas/{model}",
        schema_generator=NinjaGenerateJsonSchema,
    )
    told = {name: {"application/json": {"schema": found[name, "validation"]}} for name in shapes}
    for name in told:
        if _may_stream(views[name]):
            told[name]["text/event-stream"] = {"schema": SERVER_SENT_EVENT}
    return told, more["$defs"]


def _shape(view: View) -> Any:  # Any: a type, as Pydantic reads it
    shapes = [one for one in _returned(view) if not _is_response(one)]
    return reduce(or_, shapes) if shapes else None


def _may_stream(view: View) -> bool:
    return any(map(_is_response, _returned(view)))


def _returned(view: View) -> tuple[Any, ...]:
    annotation = inspect.signature(view).return_annotation
    return get_args(annotation) if get_origin(annotation) in (Union, UnionType) else (annotation,)


def _is_response(annotation: Any) -> bool:
    """Whether it is a response already, or one with a status that the route lists."""
    is_django_s = isinstance(annotation, type) and issubclass(annotation, HttpResponseBase)
    return is_django_s or get_origin(annotation) is Status
