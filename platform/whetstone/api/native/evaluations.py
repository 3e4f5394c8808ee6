"""Evaluations: a model, a dataset and an evaluator; and two models compared."""

from collections.abc import Callable
from typing import Annotated, Any, Literal

from django.db.models import Q
from django.http import HttpRequest
from ninja import Query, Router
from pydantic import Field
from typing_extensions import TypedDict  # Pydantic reads no other before Python 3.12

from contracts.estimate import Fit
from contracts.evaluation import EvaluationDraft, EvaluationSpec
from contracts.fault import Fault, FaultReport
from graders.receipt import GradeJson
from whetstone.api.answers import Page, described
from whetstone.api.caller import caller
from whetstone.api.errors import ErrorJson, fault_json
from whetstone.api.openai.pages import as_page
from whetstone.datasets.find import find_version
from whetstone.evaluations.answers import Answer, Filter, Order, answers_of, answers_to_rows
from whetstone.evaluations.check import check
from whetstone.evaluations.comparison import Card, Comparison, Pair, card_of, compare
from whetstone.evaluations.find import evaluations, find_evaluation, find_finished
from whetstone.evaluations.launch import launch
from whetstone.evaluations.models import Evaluation
from whetstone.evaluations.numbers import Measure, Numbers, numbers_of
from whetstone.evaluations.overlap import Overlaps, overlaps_of
from whetstone.evaluators.find import find_evaluator
from whetstone.jobs.models import Job
from whetstone.jobs.progress import estimated_finish
from whetstone.jobs.record import ask, resume

router = Router(tags=["evaluations"])
LARGEST = 2**31 - 1
Json = dict[str, Any]  # Any: JSON


class NewEvaluation(EvaluationDraft):
    """The body of `POST /api/v1/evaluations`."""

    baseline: str | None = Field(None, min_length=1, max_length=300, title="Compare with")
    """A second model that is asked the same, like the first one's base."""
    anew: bool = Field(False, title="Carry out again")
    """Also when one that would come to the same was carried out before."""


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


@router.post("")
def create(request: HttpRequest, body: NewEvaluation) -> MadeJson:
    """Queue an evaluation, and with `baseline` a second one of another model for comparison.

    What was carried out before with the same model, rows, evaluator and settings is not carried out again.
    """
    who = caller(request)
    draft = EvaluationDraft.model_validate(body.model_dump(exclude={"baseline", "anew"}, exclude_unset=True))
    names = [body.model, *([body.baseline] if body.baseline else [])]
    drafts = [draft.model_copy(update={"model": name}) for name in names]
    for one in drafts[1:]:  # before the first is queued
        _require(check(who.team, one).problems)
    made = [launch(who.user, who.team, one, is_anew=body.anew) for one in drafts]
    found = [evaluation_json(find_evaluation(who.team, one.evaluation.pk)) for one in made]
    return {
        "evaluation": found[0],
        "baseline": found[1] if len(found) > 1 else None,
        "reused": [one.evaluation.pk for one in made if one.is_reused],
    }


@router.post("/check")
def check_draft(request: HttpRequest, body: NewEvaluation) -> CheckedEvaluationJson:
    """Everything that can be said before an evaluation is created."""
    team = caller(request).team
    draft = EvaluationDraft.model_validate(body.model_dump(exclude={"baseline", "anew"}, exclude_unset=True))
    found = check(team, draft)
    beside = check(team, draft.model_copy(update={"model": body.baseline})).problems if body.baseline else []
    problems = [
        *found.problems,
        *(one.model_copy(update={"field": "baseline"}) for one in beside if one.field == "model"),
    ]
    place = found.place
    return {
        "ready": not problems,
        "problems": [fault_json(problem) for problem in problems],
        "warnings": [fault_json(warning) for warning in found.warnings],
        "settings": found.answering.model_dump(mode="json") if found.answering else None,
        "same": found.same.pk if found.same else None,
        "pool": place.pool.name if place else None,
        "memory_gb": place.memory_gb if place else None,
        "fit": place.fit if place else None,
    }


@router.get("")
def list_evaluations(
    request: HttpRequest,
    model: str | None = None,
    dataset: str | None = None,
    evaluator: str | None = None,
    after: str | None = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
) -> Page[EvaluationJson]:
    """Newest first: of a model, of a dataset version (its id, or sums@2), by an evaluator version (math@3)."""
    team = caller(request).team
    rows = evaluations(team)
    if model is not None:
        rows = rows.filter(job__base__name=model)
    if dataset is not None:
        rows = rows.filter(job__validation=find_version(team, dataset, param="dataset"))
    if evaluator is not None:
        rows = rows.filter(job__evaluator=find_evaluator(team, evaluator))
    if after is not None:
        last = find_evaluation(team, after, param="after").job
        older = Q(job__created_at__lt=last.created_at) | Q(job__created_at=last.created_at, job_id__lt=last.id)
        rows = rows.filter(older)
    found = list(rows.order_by("-job__created_at", "-job_id")[: limit + 1])
    return as_page([evaluation_json(one, with_overlap=False) for one in found[:limit]], has_more=len(found) > limit)


@router.get("/compare")
def compare_two(
    request: HttpRequest,
    candidate: str,
    baseline: str,
    require: Annotated[list[str], Query(max_length=16)] = [],  # noqa: B006  # ninja copies it
    shown: Annotated[int, Query(ge=0, le=100)] = 20,
) -> ComparisonJson:
    """Whether one model is better than another at the same rows: SHIP, DON'T SHIP, or nobody can tell.

    `require` names the bars, like `delta > 0.02` or `regressed <= 0.05`; without one it is `delta > 0`. A bar is met
    when the whole 95 % interval meets it, and missed when none of it does.
    """
    team = caller(request).team
    new, old = find_finished(team, candidate, "candidate"), find_finished(team, baseline, "baseline")
    found = compare(new, old)
    return comparison_json(new, old, found, card_of(found, tuple(require)), shown)


@router.get("/{evaluation_id}")
def get_evaluation(request: HttpRequest, evaluation_id: str) -> EvaluationJson:
    return evaluation_json(find_evaluation(caller(request).team, evaluation_id))


@router.get("/{evaluation_id}/rows")
def list_rows(
    request: HttpRequest,
    evaluation_id: str,
    order: Order = "row",
    only: Filter = "all",
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
    offset: Annotated[int, Query(ge=0, le=LARGEST)] = 0,
) -> AnswersJson:
    """Its answers with their scores and receipts."""
    found = answers_of(
        find_evaluation(caller(request).team, evaluation_id), order=order, only=only, limit=limit, offset=offset
    )
    return {"rows": [answer_json(one) for one in found.rows], "total": found.total}


@router.post("/{evaluation_id}/cancel")
def cancel(request: HttpRequest, evaluation_id: str) -> EvaluationJson:
    return _ordered(request, evaluation_id, lambda job_id: ask(job_id, Job.Wish.CANCEL))


@router.post("/{evaluation_id}/pause")
def pause(request: HttpRequest, evaluation_id: str) -> EvaluationJson:
    return _ordered(request, evaluation_id, lambda job_id: ask(job_id, Job.Wish.PAUSE))


@router.post("/{evaluation_id}/resume")
def go_on(request: HttpRequest, evaluation_id: str) -> EvaluationJson:
    return _ordered(request, evaluation_id, resume)


def _ordered(request: HttpRequest, evaluation_id: str, order: Callable[[str], Job]) -> EvaluationJson:
    team = caller(request).team
    order(find_evaluation(team, evaluation_id).pk)
    return evaluation_json(find_evaluation(team, evaluation_id))


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


def _require(problems: list[FaultReport]) -> None:
    if problems:
        first = problems[0]
        field = "baseline" if first.field == "model" else first.field
        raise Fault(first.code, field=field, evidence=first.evidence, **first.params)
