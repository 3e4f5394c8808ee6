"""Whether a grader tells right answers from wrong ones. The wrong ones are right answers of other rows.

Reinforcement learning moves towards what scores above the rest of its group. A grader that gives right and wrong
answers the same score teaches nothing, and one that likes the wrong ones better teaches the wrong thing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from graders.attack import Target
from graders.grade import grade
from graders.port import NOWHERE, Port
from graders.receipt import Grade
from graders.sample import sample_of
from graders.schema import Grader
from graders.summary import Summary, summary

Warning = Literal["unanswered", "unscored", "constant", "untried", "wrong_as_high"]


@dataclass(frozen=True)
class Contrast:
    """How right and wrong answers to the same rows were scored."""

    rows: int
    """With a right answer to try."""
    right: Summary
    wrong: Summary | None
    """None where no two rows have different answers."""
    told_apart: int
    """Rows, of those with both scores, whose right answer scored higher."""
    ties: int
    inverted: int
    """Rows whose wrong answer scored higher."""
    distinct: int
    """Different scores, of right and wrong answers together."""
    warning: Warning | None
    """unanswered: no row has a right answer. unscored: no score at all. untried: nothing wrong to try.
    constant: never two different scores. wrong_as_high: on half of the rows or more the wrong answer scored as high."""


def contrast(grader: Grader, targets: Sequence[Target], port: Port = NOWHERE) -> Contrast:
    """Right and wrong answers in one batch. A row with an empty right answer is left out."""
    aimed = [target for target in targets if target.right.strip()]
    wrongs = {n: text for n in range(len(aimed)) if (text := _wrong(aimed, n)) is not None}
    texts = [*(target.right for target in aimed), *wrongs.values()]
    rows = [*aimed, *(aimed[n] for n in wrongs)]
    samples = [{"prompt": [*row.prompt], **sample_of(text)} for row, text in zip(rows, texts, strict=True)]
    grades = grade(grader, samples, [row.item for row in rows], port)
    right, wrong = grades[: len(aimed)], grades[len(aimed) :]
    return _contrast(right, wrong, [right[n] for n in wrongs])


def _wrong(targets: Sequence[Target], n: int) -> str | None:
    """The right answer of the next row that has another one."""
    mine = targets[n].right.strip()
    return next((one.right for one in (*targets[n + 1 :], *targets[:n]) if one.right.strip() != mine), None)


def _contrast(right: Sequence[Grade], wrong: Sequence[Grade], rivals: Sequence[Grade]) -> Contrast:
    """`rivals`: the grades of the right answers that stand beside the wrong ones."""
    pairs = [
        (one.score, other.score)
        for one, other in zip(rivals, wrong, strict=True)
        if one.score is not None and other.score is not None
    ]
    told_apart, ties = sum(one > other for one, other in pairs), sum(one == other for one, other in pairs)
    distinct = len({one.score for one in (*right, *wrong) if one.score is not None})
    return Contrast(
        rows=len(right),
        right=summary(right),
        wrong=summary(wrong) if wrong else None,
        told_apart=told_apart,
        ties=ties,
        inverted=len(pairs) - told_apart - ties,
        distinct=distinct,
        warning=_warning(distinct, len(wrong), len(pairs), told_apart) if right else "unanswered",
    )


def _warning(distinct: int, tried: int, pairs: int, told_apart: int) -> Warning | None:
    if distinct == 0:
        return "unscored"
    if tried == 0:
        return "untried"
    if distinct == 1:
        return "constant"
    return "wrong_as_high" if 2 * told_apart <= pairs and pairs else None
