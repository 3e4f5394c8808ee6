"""How the rows of a dataset are laid out, labels among them."""

from dataclasses import dataclass
from typing import Any

from contracts.dataset import Column, ColumnMapping, Row, Shape
from whetstone.labels.said import Kind, PromptTurn

KEY = "label_key"
"""The column that says which labels a row was made of, so that the next version can replace it or leave it out."""
MORE = (KEY, "written_by", "votes")

_OWN: dict[Shape, tuple[Column, ...]] = {
    "preference": (
        Column(name="prompt", role="prompt"),
        Column(name="chosen", role="chosen"),
        Column(name="rejected", role="rejected"),
    ),
    "labelled": (
        Column(name="prompt", role="prompt"),
        Column(name="completion", role="completion"),
        Column(name="label", role="label"),
    ),
    "chat": (Column(name="messages", role="messages"),),
}


@dataclass(frozen=True)
class Layout:
    """The columns of a file, and what they are."""

    columns: tuple[str, ...]
    mapping: ColumnMapping

    @classmethod
    def own(cls, shape: Shape) -> "Layout":
        """Of a dataset that begins with labels."""
        return cls(tuple(column.name for column in _OWN[shape]), ColumnMapping(columns=_OWN[shape])).with_labels()

    def with_labels(self) -> "Layout":
        """With the columns that labels add, which no grader is shown."""
        named = {column.name for column in self.mapping.columns}
        hidden = [Column(name=name, role="ignored") for name in MORE if name not in named]
        columns = dict.fromkeys((*self.columns, *MORE))
        return Layout(tuple(columns), ColumnMapping(columns=(*self.mapping.columns, *hidden)))

    def row(
        self, kind: Kind, prompt: tuple[PromptTurn, ...], answers: tuple[str, ...], *, is_good: bool = True
    ) -> dict[str, Any]:  # Any: JSON
        """`answers`: the better one first, or the one that is meant.

        Raises:
            ValueError: a sentence, where these columns cannot hold it.
        """
        turns = [turn.model_dump(mode="json") for turn in prompt]
        row: dict[str, Any] = dict.fromkeys(self.columns)
        row |= self._asked(turns)
        if kind == "preference":
            return row | self._pair(turns, answers)
        return row | self._answered(turns, answers[0]) | self._judged(is_good=is_good)

    def _asked(self, turns: list[dict[str, str]]) -> Row:
        for column in self.mapping.columns:
            if column.after is not None:
                raise ValueError(f"only what stands after “{column.after}” in “{column.name}” is read")
        told: Any = turns
        if messages := self.mapping.first("messages"):
            return {messages.name: told}
        if (prompt := self.mapping.first("prompt")) is None:
            return {}
        if (system := self.mapping.first("system")) is None:
            return {prompt.name: told}
        has_system = turns[0]["role"] == "system"
        return {system.name: turns[0]["content"] if has_system else "", prompt.name: told[has_system:]}

    def _pair(self, turns: list[dict[str, str]], answers: tuple[str, ...]) -> dict[str, Any]:
        better, worse = self.mapping.first("chosen"), self.mapping.first("rejected")
        assert better is not None  # else it were no preference
        if worse is None:
            raise ValueError("no column is mapped as the rejected answer")
        if self.mapping.first("messages") or self.mapping.first("prompt"):
            return {better.name: answers[0], worse.name: answers[1]}
        whole = [[*turns, {"role": "assistant", "content": text}] for text in answers]
        return {better.name: whole[0], worse.name: whole[1]}

    def _answered(self, turns: list[dict[str, str]], answer: str) -> dict[str, Any]:
        if messages := self.mapping.first("messages"):
            return {messages.name: [*turns, {"role": "assistant", "content": answer}]}
        if completion := self.mapping.first("completion"):
            return {completion.name: answer}
        raise ValueError("no column is mapped as the answer")

    def _judged(self, *, is_good: bool) -> dict[str, Any]:
        label = self.mapping.first("label")
        return {label.name: is_good} if label else {}
