"""What an evaluation came to: means over rows, each with its interval, and pass@k."""

from collections.abc import Callable, Sequence
from math import comb

import numpy as np
from typing_extensions import TypedDict  # Pydantic reads no other before Python 3.12

from contracts.evaluation import EvaluationSpec
from graders import full_score
from whetstone.evaluations.models import Evaluation
from whetstone.evaluations.scores import Row, Scores, scores_of
from whetstone.jobs.intervals import Interval, of_columns, of_mean
from whetstone.jobs.models import Job

CONFIDENCE = 0.95
BINS = 20


class Measure(TypedDict):
    """One number, and how sure it is where the rows say so."""

    name: str
    value: float
    low: float | None
    high: float | None
    method: str | None
    """`wilson`, `t`, `bootstrap` or `paired_bootstrap`."""
    rows: int | None
    """Rows that it is the mean of."""


class Histogram(TypedDict):
    low: float
    high: float
    counts: list[int]
    """Answers in bins of one width, from `low` to `high`."""


class Numbers(TypedDict):
    measures: list[Measure]
    histogram: Histogram | None
    """Of the scores of all answers. Null while none is scored."""
    full_score: float | None
    """From which score on an answer is right. Null where a reward model scores and nobody has set a threshold."""
    rows: int
    """Rows that were answered."""
    answers: int
    too_long: int
    """Rows whose prompt left no room for an answer: the model was not asked."""
    empty: int
    """Rows without a prompt."""


def numbers_of(evaluation: Evaluation) -> Numbers:
    """Of one that has ended they are kept; of one that runs they are those of the rows so far."""
    job = evaluation.job
    if evaluation.numbers is not None:
        kept: Numbers = evaluation.numbers
        return kept
    spec = job.job_spec
    assert isinstance(spec, EvaluationSpec)
    has_succeeded = job.status == Job.Status.SUCCEEDED
    found = count(scores_of(job), spec.answering.samples, full_score(spec.grader), is_final=has_succeeded)
    if has_succeeded:
        evaluation.numbers = found
        evaluation.save(update_fields=["numbers"])
    return found


def count(scores: Scores, samples: int, full: float | None, *, is_final: bool = True) -> Numbers:
    """`is_final`: the intervals of pass@k, too, which take a bootstrap."""
    rows = list(scores.rows.values())
    answers = sum(len(row.scores) for row in rows)
    every = [score for row in rows for score in row.scored]
    return {
        "measures": _measures(rows, full) + (_passes(rows, samples, full, is_final) if full is not None else []),
        "histogram": histogram(every),
        "full_score": full,
        "rows": len(rows),
        "answers": answers,
        "too_long": sum(why == "too_long" for why in scores.skipped.values()),
        "empty": sum(why == "empty" for why in scores.skipped.values()),
    }


def _measures(rows: list[Row], full: float | None) -> list[Measure]:
    scored = [row for row in rows if row.scored]
    found = [_mean("mean", [row.mean for row in scored if row.mean is not None])]
    if full is not None:
        found.append(_mean("accuracy", [_share(row.right(full)) for row in scored]))
    whole: dict[str, Callable[[Row], float]] = {
        "length_mean": lambda row: sum(row.tokens) / len(row.tokens),
        "truncated": lambda row: _share(row.truncated),
        "errors": lambda row: _share(row.failed),
        "not_scored": lambda row: _share([score is None for score in row.scores]),
    }
    found += [_mean(name, [of(row) for row in rows]) for name, of in whole.items()]
    return [one for one in found if one is not None]


def _mean(name: str, values: Sequence[float]) -> Measure | None:
    """Every row counts alike."""
    if not values:
        return None
    return measure(name, sum(values) / len(values), of_mean(values, CONFIDENCE), len(values))


def measure(name: str, value: float, interval: Interval | None, rows: int | None) -> Measure:
    return {
        "name": name,
        "value": value,
        "low": interval.low if interval else None,
        "high": interval.high if interval else None,
        "method": interval.method if interval else None,
        "rows": rows,
    }


def _share(values: Sequence[bool]) -> float:
    return sum(values) / len(values)


def _passes(rows: list[Row], samples: int, full: float, is_final: bool) -> list[Measure]:
    """pass@k for every k up to the samples of a row. Rows of which fewer answers were scored do not count at that k."""
    counted = [(len(right), sum(right)) for row in rows if (right := row.right(full))]
    if not counted or samples < 2:
        return []
    table = np.array([[pass_at(k, n, c) for k in range(1, samples + 1)] for n, c in counted])
    known = (~np.isnan(table)).sum(axis=0)
    intervals = of_columns(table, CONFIDENCE) if is_final else [None] * samples
    return [
        measure(f"pass@{k}", float(np.nanmean(table[:, k - 1])), interval, int(known[k - 1]))
        for k, interval in enumerate(intervals, start=1)
        if known[k - 1]
    ]


def pass_at(k: int, n: int, right: int) -> float:
    """How likely one of k answers is right, drawn from n of which so many are: without bias (Chen et al. 2021,
    arXiv:2107.03374, equation 1). NaN for fewer than k answers."""
    return float("nan") if n < k else 1.0 - comb(n - right, k) / comb(n, k)


def histogram(scores: Sequence[float]) -> Histogram | None:
    """Scores between 0 and 1 keep that scale."""
    if not scores:
        return None
    low, high = min(0.0, *scores), max(1.0, *scores)
    counts, _ = np.histogram(scores, bins=BINS, range=(low, high))
    return {"low": low, "high": high, "counts": [int(n) for n in counts]}
