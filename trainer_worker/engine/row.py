"""One choice that is being written."""

from collections import Counter
from dataclasses import dataclass, field

import torch

from contracts.completion import Ask, Delta, FinishReason, Told
from contracts.tools import CallPiece, joined
from trainer_worker.batch import BASE
from trainer_worker.engine.calls import Calls
from trainer_worker.engine.forms import Form
from trainer_worker.engine.text import Text


@dataclass
class Row:
    ask: Ask
    choice: int
    prompt: list[int]
    longest: int
    """Tokens after which it is cut off."""
    text: Text
    generator: torch.Generator | None
    """Its own random numbers, where a seed was given."""
    voice: str = BASE
    """The adapter that is laid over the model for it."""
    calls: Calls | None = None
    """Where it may call tools."""
    form: Form | None = None
    """What it is held to."""
    counts: Counter[int] = field(default_factory=Counter)
    """How often each token was written: for the penalties."""
    is_cancelled: bool = False
    finish: FinishReason | None = None
    _written: int = 0
    _untold: Delta | None = None

    @property
    def most_tokens(self) -> int:
        return len(self.prompt) + self.longest

    def add(self, token: int, told: Told | None, is_end: bool) -> Delta | None:
        """Write one token more. Returns what is to be told now, if anything."""
        self._written += 1
        self.counts[token] += 1
        piece = "" if is_end else self.text.add(token)
        is_whole = self.form is not None and self.form.is_whole
        if is_end or self.text.is_stopped or is_whole:
            self.finish = "stop"
        elif self._written >= self.longest:
            self.finish = "length"
        if self.finish is not None:
            piece += self.text.rest()
            if self.text.is_stopped:
                self.finish = "stop"
        piece, calls = self._parted(piece)
        return self._tell(piece, calls, () if told is None or is_end else (told,))

    def _parted(self, piece: str) -> tuple[str, tuple[CallPiece, ...]]:
        if self.calls is None:
            return piece, ()
        said, calls = self.calls.read(piece)
        if self.finish is not None:
            said += self.calls.rest()
            self.finish = "tool_calls" if self.finish == "stop" and self.calls.count else self.finish
        return said, calls

    def _tell(self, piece: str, calls: tuple[CallPiece, ...], logprobs: tuple[Told, ...]) -> Delta | None:
        before = self._untold
        delta = Delta(
            ask=self.ask.id,
            choice=self.choice,
            text=before.text + piece if before else piece,
            tokens=before.tokens + 1 if before else 1,
            logprobs=before.logprobs + logprobs if before else logprobs,
            calls=joined(before.calls, calls) if before else calls,
            finish=self.finish,
        )
        is_due = self.finish is not None or (self.ask.in_pieces and (delta.text or delta.logprobs or delta.calls))
        self._untold = None if is_due else delta
        return delta if is_due else None
