"""What a job's held-out rows said, how sure that is, and how far it moved since the start."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from whetstone.jobs.headline import Headline
from whetstone.jobs.intervals import Interval, of_difference, of_mean
from whetstone.jobs.models import Job

OPENAI = {"token_accuracy": "mean_token_accuracy"}


@dataclass(frozen=True)
class Evaluation:
    step: int
    at: datetime
    values: dict[str, float]
    rows: dict[str, list[float]]
    """Each held-out row's part in a number, where the worker told it."""


@dataclass(frozen=True)
class Measure:
    name: str
    value: float
    step: int
    interval: Interval | None
    rows: int | None


def evaluations_of(job: Job) -> list[Evaluation]:
    """Oldest first. Of the first and the last with their rows: the others' are not asked for."""
    told = job.events.filter(type="evaluation").order_by("step")
    found = [Evaluation(step or 0, at, data["values"], {}) for step, at, data in told.values_list("step", "at", "data")]
    ends = {one.step for one in (found[:1] + found[-1:])}
    rows = dict(told.filter(step__in=ends).values_list("step", "rows"))
    return [Evaluation(one.step, one.at, one.values, rows.get(one.step) or {}) for one in found]


def measures_of(told: list[Evaluation], headline: Headline | None, confidence: float) -> list[Measure]:
    """The last evaluation's numbers; and, when there was one before the training, what has changed since."""
    if not told:
        return []
    last = told[-1]
    found = [_now(last, key, confidence) for key in sorted(last.values)]
    if told[0].step == 0 < last.step:
        found += _changes(told[0], last, headline, confidence)
    return found


def valid_name(key: str) -> str:
    """As a checkpoint's metrics call it, in OpenAI's way."""
    return f"valid_{OPENAI.get(key, key)}"


def _now(last: Evaluation, key: str, confidence: float) -> Measure:
    rows = last.rows.get(key)
    interval = of_mean(rows, confidence) if rows else None
    return Measure(valid_name(key), last.values[key], last.step, interval, len(rows) if rows else None)


def _changes(first: Evaluation, last: Evaluation, headline: Headline | None, confidence: float) -> Iterator[Measure]:
    keys = [key for key in sorted(last.values) if key in first.values]
    if headline is not None and headline.key in keys:
        before, after = (last, first) if headline.lower_is_better else (first, last)
        yield _change("delta_vs_start", before, after, headline.key, last.step, confidence)
    for key in keys:
        yield _change(f"delta_{valid_name(key)}", first, last, key, last.step, confidence)


def _change(name: str, before: Evaluation, after: Evaluation, key: str, step: int, confidence: float) -> Measure:
    value = after.values[key] - before.values[key]
    rows, others = before.rows.get(key), after.rows.get(key)
    if not rows or not others or len(rows) != len(others):
        return Measure(name, value, step, None, None)
    return Measure(name, value, step, of_difference(rows, others, confidence), len(rows))
