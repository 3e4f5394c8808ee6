"""Rows of a dataset, and which column plays which part."""

from collections.abc import Mapping
from typing import Literal, cast

from pydantic import Field, JsonValue

from contracts import Contract
from contracts.fault import Fault
from contracts.method import Shape as Shape

Role = Literal["messages", "system", "prompt", "completion", "reference", "item", "ignored"]
MessageRole = Literal["system", "developer", "user", "assistant", "tool"]
Row = Mapping[str, JsonValue]

# OpenAI keeps these keys of a row for the conversation itself: no grader sees them as `item.*`.
RESERVED = frozenset({"messages", "tools", "parallel_tool_calls", "functions"})


class Column(Contract):
    """One column of the file and the part it plays."""

    name: str = Field(min_length=1)
    role: Role = "item"
    after: str | None = Field(None, min_length=1, max_length=64)
    """Keep only what stands behind the last occurrence of this text, without surrounding spaces."""


class ColumnMapping(Contract):
    """What each column is for. A column that is not named reaches the grader as it is."""

    columns: tuple[Column, ...] = ()

    def first(self, role: Role) -> Column | None:
        return next((column for column in self.columns if column.role == role), None)

    @property
    def has_question(self) -> bool:
        return self.first("messages") is not None or self.first("prompt") is not None

    def item_names(self, columns: tuple[str, ...]) -> tuple[str, ...]:
        """Names that a grader may read as `item.<name>`, for a file with these columns."""
        hidden = {c.name for c in self.columns if c.role in ("ignored", "messages")} | RESERVED
        names = [name for name in columns if name not in hidden]
        if self.first("reference") and "reference" not in names:
            names.append("reference")
        return tuple(names)


class Message(Contract):
    """One turn of a conversation."""

    role: MessageRole
    content: str


class PreparedRow(Contract):
    """A row, ready for a trainer: the conversation so far, what is known of answers to it, the grader's item."""

    prompt: tuple[Message, ...]
    completion: str | None
    """The answer to imitate; the better one of a preference; the one that a label judges."""
    item: dict[str, JsonValue]
    rejected: str | None = None
    """The worse answer of a preference."""
    label: bool | None = None
    """Whether the completion is a good one, where rows are labelled."""


def guess_mapping(columns: tuple[str, ...]) -> ColumnMapping:
    """The mapping that needs no question: OpenAI's `messages`, or columns whose names say what they are."""
    if "messages" in columns:
        return ColumnMapping(columns=(Column(name="messages", role="messages"),))
    names: dict[Role, tuple[str, ...]] = {
        "prompt": ("prompt",),
        "completion": ("completion",),
        "reference": ("reference", "reference_answer"),
        "system": ("system",),
    }
    found = [
        Column(name=column, role=role)
        for role, candidates in names.items()
        for column in columns
        if column in candidates
    ]
    return ColumnMapping(columns=tuple(found) if any(c.role == "prompt" for c in found) else ())


def prepare(row: Row, mapping: ColumnMapping) -> PreparedRow:
    """Read one row as the mapping says.

    Raises:
        ValueError: with a sentence, when the row does not hold what the mapping promises.
    """
    turns = _turns(row, mapping)
    completion = None
    if turns and turns[-1].role == "assistant":
        completion = turns.pop().content
    if not turns:
        raise ValueError("the conversation has no turn before the answer")
    if mapping.first("prompt") and (column := mapping.first("completion")):
        completion = _text(row, column)
    return PreparedRow(prompt=tuple(turns), completion=completion, item=_item(row, mapping))


def _turns(row: Row, mapping: ColumnMapping) -> list[Message]:
    if column := mapping.first("messages"):
        return _conversation(row.get(column.name), column.name)
    question = mapping.first("prompt")
    if question is None:
        raise Fault("dataset.not_mapped", dataset="")
    turns = [Message(role="user", content=_text(row, question))]
    if system := mapping.first("system"):
        turns.insert(0, Message(role="system", content=_text(row, system)))
    return turns


def _conversation(value: JsonValue, column: str) -> list[Message]:
    if not isinstance(value, list) or not value:
        raise ValueError(f"“{column}” is not a list of messages")
    return [_message(turn, f"{column}[{n}]") for n, turn in enumerate(value)]


def _message(value: JsonValue, place: str) -> Message:
    if not isinstance(value, dict):
        raise ValueError(f"“{place}” is not a message with role and content")
    role, content = value.get("role"), value.get("content")
    if role not in ("system", "developer", "user", "assistant", "tool"):
        raise ValueError(f"“{place}.role” is not one of system, developer, user, assistant, tool")
    if isinstance(content, list):
        content = "".join(_part(part, place) for part in content)
    if not isinstance(content, str):
        raise ValueError(f"“{place}.content” is not text")
    return Message.model_construct(role=cast(MessageRole, role), content=content)


def _part(part: JsonValue, place: str) -> str:
    if isinstance(part, dict) and isinstance(text := part.get("text"), str):
        return text
    raise ValueError(f"“{place}.content” holds something that is not text")


def _text(row: Row, column: Column) -> str:
    if column.name not in row or row[column.name] is None:
        raise ValueError(f"the column “{column.name}” is empty")
    value = row[column.name]
    text = value if isinstance(value, str) else str(value)
    if column.after is None:
        return text
    _head, found, tail = text.rpartition(column.after)
    if not found:
        raise ValueError(f"the column “{column.name}” does not contain “{column.after}”")
    return tail.strip()


def _item(row: Row, mapping: ColumnMapping) -> dict[str, JsonValue]:
    hidden = {c.name for c in mapping.columns if c.role in ("ignored", "messages")} | RESERVED
    item = {name: value for name, value in row.items() if name not in hidden}
    for column in mapping.columns:
        if column.after is not None and column.name in item:
            item[column.name] = _text(row, column)
    if reference := mapping.first("reference"):
        item["reference"] = item.get(reference.name)
        if reference.after is None and reference.name not in row:
            raise ValueError(f"the column “{reference.name}” is empty")
    return item
