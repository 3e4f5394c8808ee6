"""One thing that is wrong, said so that an operator can act on it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """`mend` is there where mending is safe; it looks again first, and returns whether it changed something."""

    kind: str
    about: str
    what: str
    advice: str
    mend: Callable[[], bool] | None = None


def ranges(numbers: Iterable[int]) -> str:
    """{1, 2, 3, 7} as “1 to 3, 7”."""
    spans: list[list[int]] = []
    for number in sorted(numbers):
        if spans and number == spans[-1][1] + 1:
            spans[-1][1] = number
        else:
            spans.append([number, number])
    return ", ".join(str(first) if first == last else f"{first} to {last}" for first, last in spans)
