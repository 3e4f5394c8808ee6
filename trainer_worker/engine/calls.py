"""Calls of tools in what a model writes, told while they come. The grammar has seen to it that they are well formed."""

import secrets
from dataclasses import dataclass, field
from typing import Literal

from contracts.tools import CallPiece
from trainer_worker.engine.grammar import BETWEEN, CLOSE, HEAD, OPEN
from trainer_worker.engine.text import overlap


@dataclass
class Arguments:
    """Finds the end of a JSON object while it comes."""

    is_whole: bool = False
    _depth: int = 0
    _is_in_string: bool = False
    _is_escaped: bool = False

    def take(self, text: str) -> int:
        """How many of these characters belong to it."""
        for place, letter in enumerate(text):
            self._read(letter)
            if self.is_whole:
                return place + 1
        return len(text)

    def _read(self, letter: str) -> None:
        if self._is_in_string:
            self._is_in_string = letter != '"' or self._is_escaped
            self._is_escaped = letter == "\\" and not self._is_escaped
        elif letter == '"':
            self._is_in_string = True
        else:
            self._depth += (letter in "{[") - (letter in "}]")
            self.is_whole = not self._depth


@dataclass
class Calls:
    """One choice's text, parted into what is said and what is called."""

    count: int = 0
    """Calls that have begun."""
    _place: Literal["text", "head", "arguments", "foot"] = "text"
    _held: str = ""
    """Written, and not yet told."""
    _arguments: Arguments = field(default_factory=Arguments)

    def read(self, piece: str) -> tuple[str, tuple[CallPiece, ...]]:
        """What can be told after this piece: text, and pieces of calls. Between calls nothing is said."""
        self._held += piece
        said, told = "", list[CallPiece]()
        goes_on = True
        while goes_on:
            if self._place == "text":
                text, goes_on = self._up_to(OPEN, "head")
                said += "" if self.count else text
            elif self._place == "head":
                goes_on = self._begin(told)
            elif self._place == "arguments":
                goes_on = self._go_on(told)
            else:
                _, goes_on = self._up_to(CLOSE, "text")
        return said, tuple(told)

    def rest(self) -> str:
        """What is left as text once nothing follows: an opening mark in halves, or a call without a name yet."""
        if self._place == "head":
            return OPEN + self._held
        return self._held if self._place == "text" and not self.count else ""

    def _up_to(self, mark: str, place: Literal["text", "head"]) -> tuple[str, bool]:
        """The text before the mark, and whether it is there. Else what is surely before it."""
        text, found, rest = self._held.partition(mark)
        if found:
            self._held, self._place = rest, place
            return text, True
        kept = overlap(text, mark)
        self._held = text[len(text) - kept :]
        return text[: len(text) - kept], False

    def _begin(self, told: list[CallPiece]) -> bool:
        head, found, rest = self._held.partition(BETWEEN)
        if not found:
            return False
        self._held, self._place, self._arguments = rest, "arguments", Arguments()
        name = head.removeprefix(HEAD)
        told.append(CallPiece(index=self.count, id=f"call_{secrets.token_hex(12)}", name=name))
        self.count += 1
        return True

    def _go_on(self, told: list[CallPiece]) -> bool:
        taken = self._arguments.take(self._held)
        if taken:
            told.append(CallPiece(index=self.count - 1, arguments=self._held[:taken]))
        self._held = self._held[taken:]
        if self._arguments.is_whole:
            self._place = "foot"
        return self._arguments.is_whole
