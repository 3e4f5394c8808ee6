"""The answers of an evaluation, row by row, as far as they are still stored; their scores always are."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from contracts.evaluation import EvaluationSpec
from graders import full_score
from whetstone.evaluations.models import Evaluation
from whetstone.evaluations.scores import Row, scores_of
from whetstone.jobs.rollouts import Rollout, answers_to

Order = Literal["row", "worst", "best", "longest"]
Filter = Literal["all", "failed", "passed", "truncated", "errors", "not_scored"]


@dataclass(frozen=True)
class Answer:
    row: int
    sample: int
    """Which of the row's answers, counted from 0."""
    score: float | None
    tokens: int
    truncated: bool
    failed: bool
    """Whether the grader ran into an error."""
    stored: Rollout | None
    """None once the answers were thrown away."""


@dataclass(frozen=True)
class Answers:
    rows: list[Answer]
    total: int
    """Answers that the filter lets through."""


def answers_of(evaluation: Evaluation, *, order: Order, only: Filter, limit: int, offset: int) -> Answers:
    spec = evaluation.job.job_spec
    assert isinstance(spec, EvaluationSpec)
    every = [one for number, row in scores_of(evaluation.job).rows.items() for one in _answers(number, row)]
    passes = _passes(full_score(spec.grader))[only]
    found = sorted((one for one in every if passes(one)), key=_KEYS[order])
    return Answers(_with_texts(evaluation, found[offset : offset + limit]), len(found))


def answers_to_rows(evaluation: Evaluation, rows: Sequence[int]) -> dict[int, list[Answer]]:
    """By row. Rows that were not answered are left out."""
    scores = scores_of(evaluation.job).rows
    every = [one for number in rows if number in scores for one in _answers(number, scores[number])]
    found: dict[int, list[Answer]] = {}
    for one in _with_texts(evaluation, every):
        found.setdefault(one.row, []).append(one)
    return found


def _answers(number: int, row: Row) -> list[Answer]:
    columns = zip(row.scores, row.tokens, row.truncated, row.failed, strict=True)
    return [
        Answer(number, sample, score, tokens, truncated, failed, None)
        for sample, (score, tokens, truncated, failed) in enumerate(columns)
    ]


def _with_texts(evaluation: Evaluation, answers: list[Answer]) -> list[Answer]:
    texts = answers_to(evaluation.job, sorted({one.row for one in answers}))
    return [
        Answer(one.row, one.sample, one.score, one.tokens, one.truncated, one.failed, _nth(texts, one))
        for one in answers
    ]


def _nth(texts: dict[int, list[Rollout]], one: Answer) -> Rollout | None:
    stored = texts.get(one.row, [])
    return stored[one.sample] if one.sample < len(stored) else None


def _passes(full: float | None) -> dict[Filter, Callable[[Answer], bool]]:
    bar = float("inf") if full is None else full
    return {
        "all": lambda one: True,
        "failed": lambda one: one.score is not None and one.score < bar,
        "passed": lambda one: one.score is not None and one.score >= bar,
        "truncated": lambda one: one.truncated,
        "errors": lambda one: one.failed,
        "not_scored": lambda one: one.score is None,
    }


_KEYS: dict[Order, Callable[[Answer], tuple[float, ...]]] = {
    "row": lambda one: (one.row, one.sample),
    "worst": lambda one: (float("-inf") if one.score is None else one.score, one.row, one.sample),
    "best": lambda one: (float("inf") if one.score is None else -one.score, one.row, one.sample),
    "longest": lambda one: (-one.tokens, one.row, one.sample),
}
