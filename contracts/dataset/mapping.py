"""Which column of a file plays which part, and what the rows then are."""

from collections.abc import Mapping
from typing import Literal

from pydantic import Field

from contracts import Contract
from contracts.method import Shape

Role = Literal[
    "messages",
    "system",
    "prompt",
    "completion",
    "chosen",
    "rejected",
    "label",
    "reference",
    "item",
    "ignored",
]

# OpenAI keeps these keys of a row for the conversation itself: no grader sees them as `item.*`.
TOOLS = ("tools", "functions")
RESERVED = frozenset({"messages", "parallel_tool_calls", *TOOLS})

# What rows of a shape can be used as: a pair holds an answer to imitate, a good and a bad answer, and a prompt.
# A labelled answer may be a bad one, so nobody imitates it.
SERVES: Mapping[Shape, frozenset[Shape]] = {
    "chat": frozenset({"chat", "prompt"}),
    "prompt": frozenset({"prompt"}),
    "preference": frozenset({"preference", "labelled", "chat", "prompt"}),
    "labelled": frozenset({"labelled", "prompt"}),
}


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
        """Whether it says where the prompt stands. Pairs of whole conversations begin with it."""
        return any(self.first(role) for role in ("messages", "prompt", "chosen"))

    def shape(self, *, is_answered: bool) -> Shape | None:
        """What the rows are; None while nobody has said. `is_answered`: every row holds an answer."""
        if not self.has_question:
            return None
        if self.first("chosen"):
            return "preference"
        if self.first("label"):
            return "labelled"
        return "chat" if is_answered else "prompt"

    def item_names(self, columns: tuple[str, ...]) -> tuple[str, ...]:
        """Names that a grader may read as `item.<name>`, for a file with these columns."""
        hidden = {c.name for c in self.columns if c.role in ("ignored", "messages")} | RESERVED
        names = [name for name in columns if name not in hidden]
        if self.first("reference") and "reference" not in names:
            names.append("reference")
        return tuple(names)
