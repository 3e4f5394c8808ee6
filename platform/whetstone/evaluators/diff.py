"""Two JSON documents beside each other, line by line."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any, Literal

AROUND = 3
"""Unchanged lines that are shown before and after a change."""


@dataclass(frozen=True)
class Line:
    """What stands beside each other. A line that one side lacks is None there, with no number."""

    kind: Literal["same", "changed", "added", "removed", "folded"]
    left: str | None = None
    left_number: int | None = None
    right: str | None = None
    right_number: int | None = None
    folded: int = 0
    """How many unchanged lines this one stands for."""


def side_by_side(left: Any, right: Any, around: int | None = AROUND) -> list[Line]:
    """The lines of both as pretty JSON, keys in their order. `around` None folds nothing."""
    ours, theirs = _lines(left), _lines(right)
    matcher = SequenceMatcher(None, ours, theirs, autojunk=False)
    if around is None:
        return [line for code in matcher.get_opcodes() for line in _of_code(ours, theirs, *code)]
    return list(_folded(matcher, ours, theirs, around))


def _lines(document: Any) -> list[str]:
    return json.dumps(document, indent=2, ensure_ascii=False).split("\n")


def _folded(matcher: "SequenceMatcher[str]", ours: list[str], theirs: list[str], around: int) -> Iterator[Line]:
    seen = 0
    if ours != theirs:
        for group in matcher.get_grouped_opcodes(around):
            if skipped := group[0][1] - seen:
                yield Line("folded", folded=skipped)
            for code in group:
                yield from _of_code(ours, theirs, *code)
            seen = group[-1][2]
    if rest := len(ours) - seen:
        yield Line("folded", folded=rest)


def _of_code(ours: list[str], theirs: list[str], kind: str, i: int, i_end: int, j: int, j_end: int) -> Iterator[Line]:
    for n in range(max(i_end - i, j_end - j)):
        left, right = (i + n if i + n < i_end else None), (j + n if j + n < j_end else None)
        if left is not None and right is not None:
            yield Line("same" if kind == "equal" else "changed", ours[left], left + 1, theirs[right], right + 1)
        elif left is not None:
            yield Line("removed", ours[left], left + 1)
        elif right is not None:
            yield Line("added", right=theirs[right], right_number=right + 1)
