"""What the rows hold once their columns are mapped."""

from typing import Literal, NamedTuple

from contracts import Contract
from contracts.dataset import Shape

Part = Literal["prompt", "answer", "rejected"]


class Lengths(Contract):
    """In characters."""

    median: int
    p95: int
    longest: int


class Empty(NamedTuple):
    first: int
    others: int
    """Rows of the same kind besides it."""


class Answers(Contract):
    """Rows are numbered from 1."""

    answered: int = 0
    first_unanswered: int | None = None
    empty: int = 0
    """Rows whose answer holds no text; of a pair, the chosen one."""
    first_empty: int | None = None
    empty_rejected: int = 0
    """Pairs of which the rejected answer alone holds no text: nothing to those who imitate the other."""
    first_empty_rejected: int | None = None
    equal: int = 0
    """Pairs whose answers are the same."""
    good: int = 0
    bad: int = 0
    """Rows by their label."""
    characters: dict[Part, Lengths] = {}

    def empty_for(self, shape: Shape) -> "Empty | None":
        """Rows in which an answer that is read as this shape holds no text. None where there are none."""
        reads_rejected = shape in ("preference", "labelled")
        firsts = [self.first_empty, self.first_empty_rejected if reads_rejected else None]
        found = [row for row in firsts if row is not None and shape != "prompt"]
        total = self.empty + (self.empty_rejected if reads_rejected else 0)
        return Empty(first=min(found), others=total - 1) if found else None
