"""What the worker told of every answer: kept as long as the evaluation, unlike the answers themselves."""

from collections import defaultdict
from dataclasses import dataclass, field

from contracts.event import Skipped
from whetstone.jobs.models import Job


@dataclass
class Row:
    """The answers to one row of the dataset, in the order in which they were sampled."""

    scores: list[float | None] = field(default_factory=list)
    tokens: list[int] = field(default_factory=list)
    truncated: list[bool] = field(default_factory=list)
    failed: list[bool] = field(default_factory=list)

    @property
    def scored(self) -> list[float]:
        return [score for score in self.scores if score is not None]

    @property
    def mean(self) -> float | None:
        """None when no answer of the row was scored."""
        return sum(self.scored) / len(self.scored) if self.scored else None

    def right(self, full: float) -> list[bool]:
        return [score >= full for score in self.scored]


@dataclass
class Scores:
    rows: dict[int, Row]
    """By the row's number in the dataset, counted from 0."""
    skipped: dict[int, Skipped]


def scores_of(job: Job) -> Scores:
    """All that was scored so far."""
    rows: dict[int, Row] = defaultdict(Row)
    skipped: dict[int, Skipped] = {}
    for told in job.events.filter(type="scores").order_by("step").values_list("rows", flat=True):
        if told is None:
            continue
        answers = zip(told["rows"], told["scores"], told["tokens"], told["truncated"], told["failed"], strict=True)
        for number, score, tokens, truncated, failed in answers:
            row = rows[number]
            row.scores.append(score)
            row.tokens.append(tokens)
            row.truncated.append(truncated)
            row.failed.append(failed)
        skipped |= {int(number): why for number, why in told["skipped"].items()}
    return Scores(dict(sorted(rows.items())), skipped)
