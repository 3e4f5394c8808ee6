"""What a grader is given, and what it gives back."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from graders.port import Port

Sample = Mapping[str, object]
"""What the model said, with OpenAI's keys: `output_text`, and where there are, `output_tools`, `output_json`, ...

`prompt`, where it is known, holds the messages that were answered, each with `role` and `content`.
"""
Item = Mapping[str, object]
"""The row of the dataset."""


@dataclass(frozen=True, slots=True)
class Grade:
    """The receipt of one grading."""

    score: float | None
    """As the grader computed it, not clamped. None: not scored, which is not the same as 0."""
    name: str
    type: str
    errors: dict[str, bool | str] = field(default_factory=dict)
    """OpenAI's flags that were raised (`…_error`: true) and what they say (`…_error_details`)."""
    sub: dict[str, "Grade"] = field(default_factory=dict)
    """The grades of the parts, by name."""
    time_s: float = 0.0
    """This sample's share of the time that its batch took."""
    passed: bool | None = None
    """Whether the score reached the pass threshold. None without one."""

    def to_json(self) -> dict[str, object]:
        return {
            "score": self.score,
            "name": self.name,
            "type": self.type,
            "errors": dict(self.errors),
            "sub": {name: grade.to_json() for name, grade in self.sub.items()},
            "time_s": self.time_s,
            "passed": self.passed,
        }


class Flagged(Exception):
    """The grader cannot judge this sample: score 0, with one of OpenAI's error flags."""

    def __init__(self, flag: str, details: str) -> None:
        super().__init__(details)
        self.errors: dict[str, bool | str] = {flag: True, f"{flag}_details": details}


@dataclass(slots=True)
class Outcome:
    """What a kind found out about one sample, before it becomes a receipt."""

    score: float | None
    errors: dict[str, bool | str] = field(default_factory=dict)
    sub: dict[str, Grade] = field(default_factory=dict)


Score = Callable[[Sample, Item], float]
"""Judges one sample. Raises Flagged."""
Batch = Callable[[Sequence[Sample], Sequence[Item], Port], list[Outcome]]
"""Judges many at once."""
Graded = Callable[[Sequence[Sample], Sequence[Item], Port], list[Grade]]


def each(score: Score) -> Batch:
    """A batch that is judged one by one."""

    def batch(samples: Sequence[Sample], items: Sequence[Item], _: Port) -> list[Outcome]:
        outcomes = []
        for sample, item in zip(samples, items, strict=True):
            try:
                outcomes.append(Outcome(score(sample, item)))
            except Flagged as problem:
                outcomes.append(Outcome(0.0, problem.errors))
        return outcomes

    return batch
