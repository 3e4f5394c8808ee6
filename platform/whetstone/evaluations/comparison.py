"""Is the candidate better than the baseline? Both answered the same rows, so they are compared row by row."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np

from contracts.evaluation import EvaluationSpec
from contracts.fault import Fault
from graders import full_score
from whetstone.evaluations.mcnemar import mcnemar
from whetstone.evaluations.models import Evaluation
from whetstone.evaluations.numbers import CONFIDENCE, Measure, measure, numbers_of
from whetstone.evaluations.requirement import Judgement, Requirement, judge, read
from whetstone.evaluations.scores import Row, Scores, scores_of
from whetstone.jobs.intervals import of_mean, of_means, resampled
from whetstone.jobs.models import Job

TIE = 1e-9
DEFAULT = ("delta > 0",)
ENOUGH = 0.95
"""The share of the rows that must be scored for both: with more of them missing, nobody can tell."""
Verdict = Literal["ship", "dont_ship", "cant_tell"]


@dataclass(frozen=True)
class Pair:
    """A row, and the mean score of its answers from both."""

    row: int
    baseline: float
    candidate: float

    @property
    def change(self) -> float:
        return self.candidate - self.baseline


@dataclass(frozen=True)
class Comparison:
    pairs: list[Pair]
    """Rows that are scored for both."""
    rows: int
    """Rows that either was asked."""
    measures: list[Measure]
    wins: list[Pair]
    """Rows at which the candidate is better, the largest gain first."""
    losses: list[Pair]
    """Rows that regressed, the largest loss first."""
    turned_right: int | None
    turned_wrong: int | None
    p_value: float | None
    """McNemar's. None where no score is a full one."""
    probability: float | None
    """That the candidate's mean is higher: the share of bootstrap samples in which it is. None of fewer than 2 rows."""

    @property
    def ties(self) -> int:
        return len(self.pairs) - len(self.wins) - len(self.losses)

    @property
    def compared(self) -> float:
        return len(self.pairs) / self.rows if self.rows else 0.0


@dataclass(frozen=True)
class Judged:
    requirement: Requirement
    measure: Measure
    judgement: Judgement


@dataclass(frozen=True)
class Card:
    """SHIP or DON'T SHIP, and why."""

    verdict: Verdict
    bars: list[Judged]
    too_few: bool
    """Too many rows are not scored for both."""


def compare(candidate: Evaluation, baseline: Evaluation) -> Comparison:
    """Of two that have succeeded. Raises Fault evaluation.not_comparable."""
    if candidate.subject != baseline.subject:
        raise Fault("evaluation.not_comparable", field="baseline", what=", ".join(_differences(candidate, baseline)))
    return _compared(candidate.job_id, baseline.job_id)


def card_of(comparison: Comparison, require: tuple[str, ...] = DEFAULT) -> Card:
    """Raises Fault evaluation.bad_requirement."""
    known = {one["name"]: one for one in comparison.measures}
    wanted = [read(text, known) for text in require or DEFAULT]
    bars = [Judged(one, known[one.name], judge(one, known[one.name])) for one in wanted]
    judged = {bar.judgement for bar in bars}
    too_few = len(comparison.pairs) < 2 or comparison.compared < ENOUGH
    if too_few or ("unsure" in judged and "not_met" not in judged):
        return Card("cant_tell", bars, too_few)
    return Card("dont_ship" if "not_met" in judged else "ship", bars, too_few)


@lru_cache(maxsize=64)
def _compared(candidate_id: str, baseline_id: str) -> Comparison:
    """What has succeeded never changes."""
    both = Evaluation.objects.select_related("job").in_bulk([candidate_id, baseline_id])
    candidate, baseline = both[candidate_id], both[baseline_id]
    after, before = scores_of(candidate.job), scores_of(baseline.job)
    pairs = _pairs(before, after)
    spec = candidate.job.job_spec
    full = full_score(spec.grader) if isinstance(spec, EvaluationSpec) else None
    wins = sorted((one for one in pairs if one.change > TIE), key=lambda one: -one.change)
    losses = sorted((one for one in pairs if one.change < -TIE), key=lambda one: one.change)
    right = _turned(before, after, pairs, full) if full is not None else None
    asked = before.rows.keys() | after.rows.keys() | before.skipped.keys() | after.skipped.keys()
    measures, probability = _changes(pairs, before, after, full)
    counted = [
        _share("improved", [one.change > TIE for one in pairs]),
        _share("regressed", [one.change < -TIE for one in pairs]),
    ]
    own = numbers_of(candidate)["measures"]
    return Comparison(
        pairs=pairs,
        rows=len(asked),
        measures=[*measures, *(counted if pairs else ()), *own],
        wins=wins,
        losses=losses,
        turned_right=right[0] if right else None,
        turned_wrong=right[1] if right else None,
        p_value=mcnemar(*right) if right else None,
        probability=probability,
    )


def _pairs(before: Scores, after: Scores) -> list[Pair]:
    found = []
    for number, row in after.rows.items():
        other = before.rows.get(number)
        if other is not None and other.mean is not None and row.mean is not None:
            found.append(Pair(number, other.mean, row.mean))
    return found


def _changes(
    pairs: list[Pair], before: Scores, after: Scores, full: float | None
) -> tuple[list[Measure], float | None]:
    if len(pairs) < 2:
        return [], None
    found, probability = [], None
    for name, changes in _columns(pairs, before, after, full).items():
        means = resampled(np.array(changes))
        interval = of_means(means, len(changes), CONFIDENCE)
        found.append(measure(name, sum(changes) / len(changes), interval, len(changes)))
        if name == "delta":
            probability = float((means > TIE).mean() + (np.abs(means) <= TIE).mean() / 2)
    return found, probability


def _columns(pairs: list[Pair], before: Scores, after: Scores, full: float | None) -> dict[str, list[float]]:
    found = {"delta": [one.change for one in pairs]}
    if full is not None:
        found["delta_accuracy"] = [
            _right(after.rows[one.row], full) - _right(before.rows[one.row], full) for one in pairs
        ]
    found["delta_length"] = [_length(after.rows[one.row]) - _length(before.rows[one.row]) for one in pairs]
    return found


def _right(row: Row, full: float) -> float:
    right = row.right(full)
    return sum(right) / len(right)


def _length(row: Row) -> float:
    return sum(row.tokens) / len(row.tokens)


def _turned(before: Scores, after: Scores, pairs: list[Pair], full: float) -> tuple[int, int]:
    """Rows that turned right, and rows that turned wrong. A row is right when more than half of its answers are."""
    was = {one.row: _right(before.rows[one.row], full) > 0.5 for one in pairs}
    now = {one.row: _right(after.rows[one.row], full) > 0.5 for one in pairs}
    return sum(now[row] and not was[row] for row in was), sum(was[row] and not now[row] for row in was)


def _share(name: str, values: list[bool]) -> Measure:
    rows = [float(value) for value in values]
    return measure(name, sum(rows) / max(1, len(rows)), of_mean(rows, CONFIDENCE), len(rows))


def _differences(one: Evaluation, other: Evaluation) -> list[str]:
    """In the API's words."""
    found = []
    mine, theirs = one.job, other.job
    if mine.validation_id != theirs.validation_id:
        found.append("dataset")
    specs = [job.job_spec for job in (mine, theirs)]
    if specs[0].grader != specs[1].grader or specs[0].scorers != specs[1].scorers:
        found.append("evaluator")
    settings = [_asked(job) for job in (mine, theirs)]
    found += sorted(name for name in settings[0].keys() | settings[1] if settings[0].get(name) != settings[1].get(name))
    return found or ["settings"]


def _asked(job: Job) -> dict[str, object]:
    left_out = ("batch_size", "precision", "seed")
    return {name: value for name, value in job.draft.get("settings", {}).items() if name not in left_out}
