"""What a grader is given, and what it gives back."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NotRequired  # Pydantic reads no other before Python 3.12

from pydantic import JsonValue
from typing_extensions import TypedDict

from graders.port import Port
from graders.usage import Usage

Sample = Mapping[str, object]
"""What the model said, with OpenAI's keys: `output_text`, and where there are, `output_tools`, `output_json`, ...

`output_tokens`, where it is known, is how many tokens were sampled.
`prompt`, where it is known, holds the messages that were answered, each with `role` and `content`.
"""
Item = Mapping[str, object]
"""The row of the dataset."""
Evidence = dict[str, JsonValue]
"""What a grader saw that explains its score: small, and for people to read."""


class UsageJson(TypedDict):
    prompt_tokens: int
    completion_tokens: int
    cached_tokens: int
    calls: int
    cost: float


class GradeJson(TypedDict):
    """A receipt as it is stored and shown. What is empty is left out of it, as far as it may be."""

    score: float | None
    name: str
    type: str
    errors: dict[str, bool | str]
    sub: dict[str, "GradeJson"]
    time_s: float
    passed: bool | None
    evidence: NotRequired[Evidence]
    usage: NotRequired[dict[str, UsageJson]]
    version: NotRequired[str]


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
    evidence: Evidence | None = None
    usage: Mapping[str, Usage] | None = None
    """By model, the parts' included."""
    version: str = ""
    """Digest of the grader's JSON: which grader it was. Only the whole has it."""

    def to_json(self) -> GradeJson:
        told: GradeJson = {
            "score": self.score,
            "name": self.name,
            "type": self.type,
            "errors": dict(self.errors),
            "sub": {name: grade.to_json() for name, grade in self.sub.items()},
            "time_s": self.time_s,
            "passed": self.passed,
        }
        if self.evidence:
            told["evidence"] = self.evidence
        if self.usage:
            told["usage"] = {model: _usage_json(used) for model, used in self.usage.items()}
        if self.version:
            told["version"] = self.version
        return told


def _usage_json(used: Usage) -> UsageJson:
    return {
        "prompt_tokens": used.prompt_tokens,
        "completion_tokens": used.completion_tokens,
        "cached_tokens": used.cached_tokens,
        "calls": used.calls,
        "cost": used.cost,
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
    evidence: Evidence | None = None
    usage: Mapping[str, Usage] | None = None


Score = Callable[[Sample, Item], float | Outcome]
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
                found = score(sample, item)
                outcomes.append(found if isinstance(found, Outcome) else Outcome(found))
            except Flagged as problem:
                outcomes.append(Outcome(0.0, problem.errors))
        return outcomes

    return batch


def used_by(grades: Sequence[Grade]) -> dict[str, Usage]:
    """What these grades took together, by model."""
    total: dict[str, Usage] = {}
    for grade in grades:
        for model, usage in (grade.usage or {}).items():
            total[model] = total.get(model, Usage()).plus(usage)
    return total
