"""One question of a suite, whatever file it came from."""

from collections.abc import Callable
from dataclasses import dataclass, field

from pydantic import JsonValue

Row = dict[str, JsonValue]


class Unreadable(ValueError):
    """A row that is none of this suite's. Its message says what is missing, for the person who brought the file."""


@dataclass(frozen=True)
class Task:
    question: str
    """As the model is asked."""
    answer: str
    """As a worked example shows it."""
    item: dict[str, JsonValue] = field(default_factory=dict)
    """What the grader needs to know, and what the results can be read by."""


Reader = Callable[[Row], Task]


def text_in(row: Row, *names: str) -> str:
    """The first of these columns that holds text. Raises Unreadable where none does."""
    for name in names:
        value = row.get(name)
        if isinstance(value, str) and value.strip():
            return value.strip()
    raise Unreadable(f"no text under {' or '.join(f'“{name}”' for name in names)}")
