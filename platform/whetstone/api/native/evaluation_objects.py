"""Evaluations and comparisons as the API tells them."""

from typing import Any, Literal

from typing_extensions import TypedDict  # Pydantic reads no other before Python 3.12

from contracts.estimate import Fit
from contracts.evaluation import EvaluationSpec
from graders.receipt import GradeJson
from whetstone.api.answers import described
from whetstone.api.errors import ErrorJson, fault_json
from whetstone.api.native.promise_objects import CostJson, TimeJson
from whetstone.evaluations.answers import Answer, answers_to_rows
from whetstone.evaluations.comparison import Card, Comparison, Pair
from whetstone.evaluations.models import Evaluation
from whetstone.evaluations.numbers import Measure, Numbers, numbers_of
from whetstone.evaluations.overlap import Overlaps, overlaps_of
from whetstone.jobs.progress import estimated_finish

Json = dict[str, Any]  # Any: JSON


@described
class OverlapJson(TypedDict):
    """What the model was trained on before."""

    rows: int
    """How many of the evaluated rows were trained on."""
    of: int
    datasets: list[str]
    """The training datasets of the model and of those that it comes from, like sums@2."""
    unchecked: list[str]
    """Those that are too large to be looked through."""


@described
class EvaluationJson(TypedDict):
    id: str
    object: Literal["evaluation"]
    created_at: int
    finished_at: int | None
    status: str
    reason: str | None
    phase: str | None
    model: str
    dataset: str
    dataset_id: str
    evaluator: str | None
    """Null for a grader that is not saved."""
    settings: Json
    """As the model is asked: a number in every place."""
    step: int
    total_steps: int
    """Batches of prompts."""
    estimated_finish: int | None
    error: ErrorJson | None
    numbers: Numbers
    """Of the rows so far, while it is under way."""
    overlap: OverlapJson | None
    """In lists null: asked for one by one."""


@described
class MadeJson(TypedDict):
    evaluation: EvaluationJson
    baseline: EvaluationJson | None
    reused: list[str]
    """Of the two those that were there already: the same model, rows, evaluator and settings."""


@described
class CheckedEvaluationJson(TypedDict):
    ready: bool
    problems: list[ErrorJson]
    warnings: list[ErrorJson]
    settings: Json | None
    """With a number in every place. Null while model or dataset are missing."""
    same: str | None
    """An evaluation that was carried out before and would come to the same."""
    pool: str | None
    memory_gb: float | None
    time: TimeJson | None
    """Of the first model. Null for one of which nobody can say."""
    cost: CostJson | None
    """Null where the operator has told no price of the pool."""
    fit: Fit | None


@described
class AnswerJson(TypedDict):
    row: int
    """Of the dataset, counted from 0."""
    sample: int
    """Which of the row's answers, counted from 0."""
    score: float | None
    tokens: int
    truncated: bool
    failed: bool
    """Whether the grader ran into an error."""
    prompt: str | None
    """Null, like all that follows, once the answers were thrown away. The scores stay."""
    completion: str | None
    item: Json | None
    grade: GradeJson | None


@described
class AnswersJson(TypedDict):
    rows: list[AnswerJson]
    total: int


@described
class BarJson(TypedDict):
    requirement: str
    measure: Measure
    judgement: Literal["met", "not_met", "unsure"]


@described
class PairJson(TypedDict):
    """A row whose score changed."""

    row: int
    baseline: float
    candidate: float
    baseline_answers: list[AnswerJson]
    candidate_answers: list[AnswerJson]


@described
class ComparisonJson(TypedDict):
    candidate: EvaluationJson
    baseline: EvaluationJson
    verdict: Literal["ship", "dont_ship", "cant_tell"]
    bars: list[BarJson]
    too_few: bool
    """Too many rows are not scored for both: nobody can tell, whatever the bars say."""
    rows: int
    """Rows that either was asked."""
    compared: int
    """Rows that are scored for both. All numbers are of these."""
    measures: list[Measure]
    """`delta` is the candidate's mean score less the baseline's, `regressed` the share of rows at which it is worse.
    `mean`, `accuracy` and so on are the candidate's own."""
    wins: int
    losses: int
    ties: int
    probability: float | None
    """That the candidate's mean is higher: the share of bootstrap samples of the rows in which it is."""
    turned_right: int | None
    turned_wrong: int | None
    p_value: float | None
    """McNemar's exact test on the rows that turned. Null where no score is a full one."""
    regressed: list[PairJson]
    improved: list[PairJson]


def evaluation_json(found: Evaluation, *, with_overlap: bool = True) -> EvaluationJson:
    job = found.job
    spec, finish = job.job_spec, estimated_finish(job)
    assert isinstance(spec, EvaluationSpec)
    return {
        "id": job.id,
        "object": "evaluation",
        "created_at": int(job.created_at.timestamp()),
        "finished_at": int(job.finished_at.timestamp()) if job.finished_at else None,
        "status": job.status,
        "reason": job.reason or None,
        "phase": job.phase or None,
        "model": job.base.name,
        "dataset": str(job.validation),
        "dataset_id": job.validation_id or "",
        "evaluator": spec.evaluator,
        "settings": spec.answering.model_dump(mode="json"),
        "step": job.step,
        "total_steps": job.total_steps,
        "estimated_finish": int(finish.timestamp()) if finish else None,
        "error": fault_json(job.fault_report) if job.fault_report else None,
        "numbers": numbers_of(found),
        "overlap": _overlap_json(overlaps_of(found)) if with_overlap else None,
    }


def _overlap_json(found: Overlaps) -> OverlapJson:
    return {
        "rows": found.rows,
        "of": found.of,
        "datasets": [str(one.dataset) for one in found.seen],
        "unchecked": [str(one) for one in found.unchecked],
    }


def answer_json(one: Answer) -> AnswerJson:
    stored = one.stored
    return {
        "row": one.row,
        "sample": one.sample,
        "score": one.score,
        "tokens": one.tokens,
        "truncated": one.truncated,
        "failed": one.failed,
        "prompt": stored["prompt"] if stored else None,
        "completion": stored["completion"] if stored else None,
        "item": stored["item"] if stored else None,
        "grade": stored["grade"] if stored else None,
    }


def comparison_json(new: Evaluation, old: Evaluation, found: Comparison, card: Card, shown: int) -> ComparisonJson:
    return {
        "candidate": evaluation_json(new),
        "baseline": evaluation_json(old),
        "verdict": card.verdict,
        "bars": [
            {"requirement": str(bar.requirement), "measure": bar.measure, "judgement": bar.judgement}
            for bar in card.bars
        ],
        "too_few": card.too_few,
        "rows": found.rows,
        "compared": len(found.pairs),
        "measures": found.measures,
        "wins": len(found.wins),
        "losses": len(found.losses),
        "ties": found.ties,
        "probability": found.probability,
        "turned_right": found.turned_right,
        "turned_wrong": found.turned_wrong,
        "p_value": found.p_value,
        "regressed": _pairs(new, old, found.losses[:shown]),
        "improved": _pairs(new, old, found.wins[:shown]),
    }


def _pairs(new: Evaluation, old: Evaluation, pairs: list[Pair]) -> list[PairJson]:
    rows = [one.row for one in pairs]
    after, before = answers_to_rows(new, rows), answers_to_rows(old, rows)
    return [
        {
            "row": one.row,
            "baseline": one.baseline,
            "candidate": one.candidate,
            "baseline_answers": [answer_json(answer) for answer in before.get(one.row, [])],
            "candidate_answers": [answer_json(answer) for answer in after.get(one.row, [])],
        }
        for one in pairs
    ]
