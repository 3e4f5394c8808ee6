"""What every kind of grader has in common, and the texts with variables that they are made of."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    JsonValue,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from graders.problem import Mistake, quoted
from graders.template import split

if TYPE_CHECKING:
    from graders.schema import Grader

BASIC: dict[str, JsonValue] = {"level": "basic"}
TEXT_PARTS = ("input_text", "output_text", "text")
"""Of a message's typed parts, those that are read."""


class Template(str):
    """A text that may hold variables, like `{{ item.answer }}`; checked when it is read."""

    __slots__ = ()
    MAX_LENGTH: ClassVar[int] = 100_000

    @classmethod
    def __get_pydantic_core_schema__(cls, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        text = core_schema.str_schema(max_length=cls.MAX_LENGTH)
        return core_schema.no_info_after_validator_function(cls._read, text)

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return handler(core) | {"format": "template"}

    @classmethod
    def _read(cls, source: str) -> "Template":
        split(source)
        return cls(source)


ANSWER = Template("{{ sample.output_text }}")
REFERENCE = Template("{{ item.reference }}")


class GraderModel(BaseModel):
    """What every kind of grader has in common."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True, allow_inf_nan=False)

    name: str = Field("", max_length=128, title="Name")
    """How the score is called in charts and formulas."""
    pass_threshold: float | None = Field(None, title="Pass threshold")
    """Scores from here on count as passed. Never changes the reward."""

    def parts(self) -> "dict[str, Grader]":
        """The graders inside this one, each with its dotted path from here."""
        return {}

    @property
    def unread(self) -> tuple[str, ...]:
        """Fields whose templates are not filled in, as the other fields are set."""
        return ()


class Turn(BaseModel):
    """One message of a conversation that is put together from templates."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    role: Literal["system", "developer", "user", "assistant"] = Field(title="Role", examples=["user"])
    content: Template = Field(title="Text")


def _messages(given: object) -> object:
    """OpenAI's messages may also say that they are messages."""
    if not isinstance(given, list | tuple) or not given:
        raise Mistake("conversation.not_messages")
    turns = [_without_type(turn) for turn in given]
    if any(turn.keys() != {"role", "content"} for turn in turns):
        raise Mistake("conversation.not_messages")
    return turns


def _without_type(turn: object) -> dict[object, object]:
    if isinstance(turn, Turn):
        return {"role": turn.role, "content": turn.content}
    if not isinstance(turn, dict):
        raise Mistake("conversation.not_messages")
    plain = {key: value for key, value in turn.items() if (key, value) != ("type", "message")}
    return plain | {"content": _text(plain["content"])} if "content" in plain else plain


def _text(content: object) -> object:
    """OpenAI's content may be typed parts, or one of them: their texts, a line break between them."""
    parts = [content] if isinstance(content, dict) else content
    return "\n".join(map(_text_of_part, parts)) if isinstance(parts, list) else content


def _text_of_part(part: object) -> str:
    if isinstance(part, str):
        return part
    kind, text = (part.get("type"), part.get("text")) if isinstance(part, dict) else (None, None)
    if kind not in TEXT_PARTS:
        raise Mistake("conversation.not_a_text_part", kind=quoted(kind), options=", ".join(TEXT_PARTS))
    if not isinstance(text, str):
        raise Mistake("conversation.not_messages")
    return text


Turns = Annotated[tuple[Turn, ...], BeforeValidator(_messages)]


INNER = ("graders", "grader")
"""Fields that hold graders."""


def templates(part: object) -> Iterator[Template]:
    """Every template in a grader, its parts' included, without those that are switched off."""
    if isinstance(part, Template):
        yield part
    elif isinstance(part, GraderModel):
        yield from templates([value for name, value in part if name not in (*INNER, *part.unread)])
        yield from templates(part.parts())
    elif isinstance(part, BaseModel):
        for _, value in part:
            yield from templates(value)
    elif isinstance(part, Mapping):
        for value in part.values():
            yield from templates(value)
    elif isinstance(part, list | tuple):
        for value in part:
            yield from templates(value)
