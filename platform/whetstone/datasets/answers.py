"""What the rows hold once their columns are mapped."""

from typing import Literal

from contracts import Contract

Part = Literal["prompt", "answer", "rejected"]


class Lengths(Contract):
    """In characters."""

    median: int
    p95: int
    longest: int


class Answers(Contract):
    """Rows are numbered from 1."""

    answered: int = 0
    first_unanswered: int | None = None
    empty: int = 0
    """Rows in which an answer holds no text; of a pair, either of them."""
    first_empty: int | None = None
    equal: int = 0
    """Pairs whose answers are the same."""
    good: int = 0
    bad: int = 0
    """Rows by their label."""
    characters: dict[Part, Lengths] = {}
