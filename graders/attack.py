"""Whether a grader can be gamed: answers that are no answers must score below the right one.

Reinforcement learning finds whatever a reward pays for. These are the cheap tricks that it finds first (empty,
repeated or endless answers, echoes of the prompt, every option at once, the bare result without its form).
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from graders.grade import grade
from graders.port import NOWHERE, Port
from graders.receipt import Item
from graders.sample import sample_of
from graders.schema import Grader

REPEATS = 30
LONG = 6000
MAX_OPTIONS = 50
SHOWN = 300
_FILLER = "Let me think about it once more, step by step, to be quite sure. "
_MARKUP = re.compile(r"<[^<>]{1,64}>|\\boxed|```\w*|[{}\[\]\"$*#`]")
_LAST_NUMBER = re.compile(r".*?(-?\d[\d,]*(?:\.\d+)?)\D*", re.DOTALL)


@dataclass(frozen=True)
class Target:
    """A row of a dataset with its right answer."""

    prompt: Sequence[Mapping[str, object]]
    right: str
    item: Item


@dataclass(frozen=True)
class Outranked:
    """How one trick fared against the right answers."""

    name: str
    tried: int
    """Rows on which both were scored."""
    wins: int
    """Of these, where the trick scored as much as the right answer, or more."""
    mean: float | None
    right_mean: float | None
    example: tuple[int, str, float, float] | None
    """A row where it won: its number, the trick's text (cut), its score and the right answer's."""


Trick = Callable[[Target, Sequence[Target]], str | None]
"""What to answer instead; None where the trick makes no sense."""


def _bare(target: Target, _: Sequence[Target]) -> str | None:
    """The result without its form: a lone number or the words alone."""
    plain = " ".join(_MARKUP.sub(" ", target.right).split())
    number = _LAST_NUMBER.fullmatch(plain)
    bare = number[1] if number else plain
    return bare if bare and bare != target.right.strip() else None


def _all_options(target: Target, targets: Sequence[Target]) -> str | None:
    options = list(dict.fromkeys([target.right, *(other.right for other in targets)]))[:MAX_OPTIONS]
    return "\n".join(sorted(options)) if len(options) > 1 else None


def _echo(target: Target, _: Sequence[Target]) -> str | None:
    return "\n\n".join(str(turn.get("content") or "") for turn in target.prompt) or None


TRICKS: Mapping[str, Trick] = {
    "empty": lambda target, _: "",
    "repeated": lambda target, _: " ".join([target.right] * REPEATS),
    "too_long": lambda target, _: _FILLER * (LONG // len(_FILLER)) + target.right,
    "prompt_echo": _echo,
    "all_options": _all_options,
    "wrong_form": _bare,
}


def attack(grader: Grader, targets: Sequence[Target], port: Port = NOWHERE) -> list[Outranked]:
    """Every trick on every row, in one batch with the right answers. An empty right answer is no target."""
    numbers = [n for n, target in enumerate(targets) if target.right.strip()]
    aimed = [targets[n] for n in numbers]
    tried = [(name, n, text) for name, trick in TRICKS.items() for n, text in _answers(trick, aimed)]
    texts = [*(target.right for target in aimed), *(text for _, _, text in tried)]
    rows = [*range(len(aimed)), *(n for _, n, _ in tried)]
    samples = [{"prompt": [*aimed[n].prompt], **sample_of(text)} for n, text in zip(rows, texts, strict=True)]
    grades = grade(grader, samples, [aimed[n].item for n in rows], port)
    right, tricks = grades[: len(aimed)], grades[len(aimed) :]
    rivals = [
        _Rival(name, numbers[n], text, one.score, right[n].score)
        for (name, n, text), one in zip(tried, tricks, strict=True)
    ]
    return [_outranked(name, [rival for rival in rivals if rival.name == name]) for name in TRICKS]


class _Rival(NamedTuple):
    """A trick on a row, beside the right answer."""

    name: str
    row: int
    text: str
    score: float | None
    right: float | None


def _answers(trick: Trick, targets: Sequence[Target]) -> list[tuple[int, str]]:
    """By the number of the row; a trick that happens to be the right answer is none."""
    found = [(n, trick(target, targets)) for n, target in enumerate(targets)]
    return [(n, text) for n, text in found if text is not None and text.strip() != targets[n].right.strip()]


def _outranked(name: str, rivals: Sequence[_Rival]) -> Outranked:
    scored = [(one, one.score, one.right) for one in rivals if one.score is not None and one.right is not None]
    wins = [(one.row, one.text[:SHOWN], score, right) for one, score, right in scored if score >= right]
    return Outranked(
        name,
        tried=len(scored),
        wins=len(wins),
        mean=_mean([score for _, score, _ in scored]),
        right_mean=_mean([right for _, _, right in scored]),
        example=wins[0] if wins else None,
    )


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None
