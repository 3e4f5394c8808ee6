"""Functions that a model may call, and the form that its answer is held to. OpenAI's words, and its limits."""

import json
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, JsonValue, StringConstraints

from contracts import Contract

MOST_TOOLS = 128
MOST_CALLS = 128
DEEPEST = 50
LARGEST = 128 * 1024
"""Bytes of one schema."""


def _bounded(schema: dict[str, JsonValue]) -> dict[str, JsonValue]:
    """What is nested deeper, JSON's own readers refuse on its way to an engine."""
    level: list[JsonValue] = [schema]
    for _ in range(DEEPEST):
        level = [inner for one in level for inner in _inside(one)]
        if not level:
            break
    else:
        raise ValueError(f"The schema is nested deeper than {DEEPEST} levels.")
    if len(json.dumps(schema)) > LARGEST:
        raise ValueError(f"The schema has more than {LARGEST // 1024} KiB.")
    return schema


def _inside(value: JsonValue) -> list[JsonValue]:
    if isinstance(value, dict):
        return [*value.values()]
    return [*value] if isinstance(value, list) else []


def _of_object(schema: dict[str, JsonValue]) -> dict[str, JsonValue]:
    if schema.get("type", "object") != "object":
        raise ValueError("The parameters of a function are an object: its schema has the type “object”.")
    return schema


Named = Annotated[str, StringConstraints(pattern=r"^[a-zA-Z0-9_-]{1,64}$")]
Schema = Annotated[dict[str, JsonValue], AfterValidator(_bounded)]


class Function(Contract):
    name: Named
    description: str | None = None
    parameters: Annotated[Schema, AfterValidator(_of_object)] | None = None
    """JSON Schema of its arguments. Left out: any object."""
    strict: bool | None = None
    """Refuse what of the schema cannot be held to, where otherwise it is left out."""


class Tool(Contract):
    type: Literal["function"]
    function: Function


class Called(Contract):
    name: str = Field(min_length=1, max_length=256)
    arguments: str
    """A JSON object, as the model wrote it."""


class FunctionCall(Contract):
    """A call that a model wrote, whole."""

    id: str = Field(min_length=1, max_length=256)
    type: Literal["function"] = "function"
    function: Called


class CallPiece(Contract):
    """A further piece of a call that is being written. The first one has its id and its name."""

    index: int = 0
    """Counted from 0 within an answer."""
    id: str | None = None
    name: str | None = None
    arguments: str = ""


class Toolbox(Contract):
    """What a model may call, and whether it shall."""

    tools: tuple[Tool, ...] = Field(min_length=1, max_length=MOST_TOOLS)
    choice: Literal["none", "auto", "required"] = "auto"
    named: str | None = None
    """The one that is to be called."""
    in_parallel: bool = True
    """Whether one answer may call more than once."""

    @property
    def is_forced(self) -> bool:
        return self.choice == "required" or self.named is not None

    @property
    def callable_now(self) -> tuple[Function, ...]:
        functions = tuple(tool.function for tool in self.tools)
        return functions if self.named is None else tuple(one for one in functions if one.name == self.named)


class Form(Contract):
    """What the whole answer is: JSON of a schema, or any JSON object."""

    name: str | None = None
    document: Schema | None = None
    """The schema. None: any object."""
    description: str | None = None
    strict: bool | None = None
    """As a function's."""


def joined(before: tuple[CallPiece, ...], more: tuple[CallPiece, ...]) -> tuple[CallPiece, ...]:
    """The same, with each call in one piece."""
    found = {one.index: one for one in before}
    for one in more:
        if (known := found.get(one.index)) is not None:
            one = known.model_copy(update={"arguments": known.arguments + one.arguments})
        found[one.index] = one
    return tuple(found.values())
