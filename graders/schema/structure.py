"""Graders that look at how an answer is built: JSON, tags and sections, tool calls."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, ConfigDict, Field, JsonValue, ValidationInfo, field_validator

from graders.json_schema import JsonSchema as CheckedSchema
from graders.problem import Mistake
from graders.schema.base import ANSWER, REFERENCE, GraderModel, Template


def _bare_schema(given: object) -> object:
    """Also as OpenAI's response_format has it: `{"name": …, "strict": true, "schema": {…}}`."""
    if isinstance(given, dict) and isinstance(given.get("schema"), dict) and "type" not in given:
        return given["schema"]
    return given


class JsonSchema(GraderModel):
    """Checks that the answer is JSON that fits a schema: 1 when it does, 0 when not."""

    model_config = ConfigDict(title="JSON", json_schema_extra={"group": "structure"})

    type: Literal["json_schema"] = "json_schema"
    input: Template = Field(ANSWER, title="Text")
    """Where the JSON is looked for, usually the answer."""
    json_schema: Annotated[dict[str, JsonValue], BeforeValidator(_bare_schema)] = Field(title="JSON Schema")
    """What it must fit. References stay inside (#/$defs/…), patterns are RE2."""
    find: Literal["whole", "fenced"] = Field("whole", title="Where it stands")
    """whole: the text is JSON and nothing else. fenced: in the last ``` block of the text."""

    @field_validator("json_schema")
    @classmethod
    def _can_be_checked(cls, document: dict[str, Any]) -> dict[str, Any]:
        CheckedSchema(document)
        return document


TagName = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_.:-]*$", max_length=64)]
Heading = Annotated[str, Field(min_length=1, max_length=200)]


class Format(GraderModel):
    """Checks that tags and sections stand in the answer, each once and in order: 1 when they do, 0 when not."""

    model_config = ConfigDict(title="Format", json_schema_extra={"group": "structure"})

    type: Literal["format"] = "format"
    input: Template = Field(ANSWER, title="Text")
    """What is looked at, usually the answer."""
    tags: tuple[TagName, ...] = Field((), max_length=50, title="Tags")
    """Names without brackets: think, answer means <think>…</think> and then <answer>…</answer>."""
    outside: Literal["nothing", "after", "anything"] = Field("nothing", title="Outside of the tags")
    """nothing: only blanks. after: text may follow the last tag. anything: text may stand everywhere."""
    sections: tuple[Heading, ...] = Field((), max_length=50, title="Sections", validate_default=True)
    """How lines must begin, like ## Plan: each of one line, in this order."""
    partial_credit: bool = Field(False, title="Partial credit")
    """The share of checks that hold, instead of 1 or 0."""

    @field_validator("tags", "sections")
    @classmethod
    def _has_no_name_twice(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        for name in names:
            if names.count(name) > 1:
                raise Mistake("format.twice", name=name)
        return names

    @field_validator("sections")
    @classmethod
    def _asks_for_something(cls, sections: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        if not sections and not info.data.get("tags", True):
            raise Mistake("format.nothing")
        return sections


class ToolCall(GraderModel):
    """Compares tool calls with the right ones, by name and typed arguments: 1 when they agree, 0 when not."""

    model_config = ConfigDict(title="Tool calls", json_schema_extra={"group": "structure"})

    type: Literal["tool_call"] = "tool_call"
    reference: Template = Field(REFERENCE, title="Right calls")
    """JSON: a call or a list of calls, each with a name and arguments. An empty list: no call is right."""
    arguments: Literal["exact", "subset", "ignore"] = Field("exact", title="Arguments")
    """exact: the same arguments. subset: the right ones, and others may stand beside them. ignore: any."""
    order: Literal["same", "any"] = Field("same", title="Order")
    """same: calls in the order of the right ones. any: in any order."""
    partial_credit: bool = Field(False, title="Partial credit")
    """0.1 for a call's right name, 0.9 for the share of its arguments that are right; the mean over the calls."""
