"""From tokens to text while they come: characters that are whole, and nothing of a stop text."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

HALF = "\ufffd"
LONGEST_CHARACTER = 8
"""Tokens after which a broken character is no longer waited for: the model wrote bytes that are no text."""


@dataclass
class Text:
    """One choice's text on its way out."""

    tokenizer: Any  # Any: transformers does not type its tokenizers' decode
    stops: Sequence[str] = ()
    is_stopped: bool = False
    _ids: list[int] = field(default_factory=list)
    _before: int = 0
    _read: int = 0
    _held: str = ""
    """Written, and not yet told: it may be the beginning of a stop text."""

    def add(self, token: int) -> str:
        """What can be told after this token."""
        self._ids.append(token)
        # A token's text depends on the one before it (a space, a character in halves): both are decoded together.
        known = self._decode(self._ids[self._before : self._read])
        now = self._decode(self._ids[self._before :])
        if now.endswith(HALF) and len(self._ids) - self._read < LONGEST_CHARACTER:
            return ""
        self._before, self._read = self._read, len(self._ids)
        return self._release(now[len(known) :])

    def rest(self) -> str:
        """What is left to be told once nothing follows."""
        if self.is_stopped:
            return ""
        now = self._decode(self._ids[self._before :])
        known = self._decode(self._ids[self._before : self._read])
        told = self._release(now[len(known) :])
        held, self._held = self._held, ""
        return told if self.is_stopped else told + held

    def _decode(self, ids: list[int]) -> str:
        return str(self.tokenizer.decode(ids, skip_special_tokens=True))

    def _release(self, new: str) -> str:
        text = self._held + new
        found = [place for stop in self.stops if (place := text.find(stop)) >= 0]
        if found:
            self.is_stopped, self._held = True, ""
            return text[: min(found)]
        kept = max((overlap(text, stop) for stop in self.stops), default=0)
        self._held = text[len(text) - kept :]
        return text[: len(text) - kept]


def overlap(text: str, stop: str) -> int:
    """How many characters at the end of the text are the beginning of the stop text."""
    longest = min(len(text), len(stop) - 1)
    return next((size for size in range(longest, 0, -1) if text.endswith(stop[:size])), 0)
