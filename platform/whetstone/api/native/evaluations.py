"""Evaluations: a model, a dataset and an evaluator; and two models compared."""

from collections.abc import Callable
from typing import Annotated

from django.db.models import Q
from django.http import HttpRequest
from ninja import Query, Router
from pydantic import Field

from contracts.evaluation import EvaluationDraft
from contracts.fault import Fault, FaultReport
from whetstone.api.answers import Page
from whetstone.api.caller import caller
from whetstone.api.errors import fault_json
from whetstone.api.native.evaluation_objects import (
    AnswersJson,
    CheckedEvaluationJson,
    ComparisonJson,
    EvaluationJson,
    MadeJson,
    answer_json,
    comparison_json,
    evaluation_json,
)
from whetstone.api.native.promise_objects import cost_json, time_json
from whetstone.api.openai.pages import as_page
from whetstone.datasets.find import find_version
from whetstone.evaluations.answers import Filter, Order, answers_of
from whetstone.evaluations.check import check
from whetstone.evaluations.comparison import card_of, compare
from whetstone.evaluations.find import evaluations, find_evaluation, find_finished
from whetstone.evaluations.launch import launch
from whetstone.evaluators.find import find_evaluator
from whetstone.jobs.models import Job
from whetstone.jobs.record import ask, resume

router = Router(tags=["evaluations"])
LARGEST = 2**31 - 1


class NewEvaluation(EvaluationDraft):
    """The body of `POST /api/v1/evaluations`."""

    baseline: str | None = Field(None, min_length=1, max_length=300, title="Compare with")
    """A second model that is asked the same, like the first one's base."""
    anew: bool = Field(False, title="Carry out again")
    """Also when one that would come to the same was carried out before."""


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
        "time": time_json(place) if place else None,
        "cost": cost_json(place) if place else None,
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


def _require(problems: list[FaultReport]) -> None:
    if problems:
        first = problems[0]
        field = "baseline" if first.field == "model" else first.field
        raise Fault(first.code, field=field, evidence=first.evidence, **first.params)
