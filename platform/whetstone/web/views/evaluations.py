"""Evaluations: the table over models, a new one, and one that runs or ran."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from pydantic import ValidationError

from contracts.evaluation import EvaluationSpec
from contracts.fault import Fault
from whetstone.accounts.scope import person, team_of
from whetstone.api.errors import fault_json
from whetstone.evaluations.answers import Filter, Order, answers_of
from whetstone.evaluations.find import comparable, evaluations, find_evaluation
from whetstone.evaluations.launch import launch
from whetstone.evaluations.models import Evaluation
from whetstone.evaluations.numbers import numbers_of
from whetstone.evaluations.overlap import overlaps_of
from whetstone.jobs.models import Job
from whetstone.jobs.progress import estimated_finish
from whetstone.jobs.waiting import waiting_reason
from whetstone.web.estimates import lines_of, so_far
from whetstone.web.evaluation_form import choices_of, draft_of, fields_of, preview
from whetstone.web.evaluation_shapes import bars_of, points_of
from whetstone.web.evaluation_table import table_of
from whetstone.web.words import ANSWER_FILTERS, ANSWER_ORDERS, MEASURES

A_PAGE, ANSWERS_A_PAGE = 20, 20
SHOWN = ("mean", "accuracy", "length_mean", "truncated", "errors", "not_scored")


@login_required
@require_safe
def evaluations_page(request: HttpRequest) -> HttpResponse:
    team = team_of(person(request))
    every = evaluations(team).order_by("-job__created_at", "-job_id")
    page = Paginator(every, A_PAGE).get_page(request.GET.get("page"))
    context = {
        "table": table_of(team),
        "page": page,
        "rows": [(one, _mean(one)) for one in page],
        "is_moving": any(not one.job.has_ended for one in page),
    }
    return render(request, "web/evaluations.html", context)


def _mean(one: Evaluation) -> Any:
    """Its first number. None while there is none."""
    return next(iter(numbers_of(one)["measures"]), None)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """An empty form, or one with `?model=`, `?baseline=`, `?dataset=` or `?evaluator=` chosen; a POST begins it."""
    who = person(request)
    team, given = team_of(who), _given(request)
    if request.method == "POST":
        try:
            return _begin(request, given)
        except Fault as fault:
            messages.error(request, fault_json(fault.report)["message"])
        except ValidationError as error:
            messages.error(request, error.errors()[0]["msg"])
    fields = fields_of(given)
    context = {
        "given": given,
        "choices": choices_of(team, given),
        "basic": [field for field in fields if field.is_basic],
        "advanced": [field for field in fields if not field.is_basic],
        "preview": preview(team, given),
    }
    return render(request, "web/evaluation_new.html", context)


def _begin(request: HttpRequest, given: dict[str, str]) -> HttpResponse:
    """Raises Fault, or pydantic's ValidationError."""
    who = person(request)
    team, draft = team_of(who), draft_of(given)
    drafts = [draft, *([draft.model_copy(update={"model": given["baseline"]})] if given.get("baseline") else [])]
    made = [launch(who, team, one, is_anew="anew" in request.POST) for one in drafts]
    if len(made) == 1:
        return redirect("evaluation", made[0].evaluation.pk)
    both = urlencode({"candidate": made[0].evaluation.pk, "baseline": made[1].evaluation.pk})
    return redirect(f"{reverse('evaluation-compare')}?{both}")


def _given(request: HttpRequest) -> dict[str, str]:
    query = request.POST if request.method == "POST" else request.GET
    return {name: str(value).strip() for name, value in query.items() if value}


@login_required
@require_POST
def preview_card(request: HttpRequest) -> HttpResponse:
    """The card beside the form, as it is filled in."""
    found = preview(team_of(person(request)), _given(request))
    return render(request, "web/evaluation_preview.html", {"preview": found})


@login_required
@require_safe
def evaluation(request: HttpRequest, evaluation_id: str) -> HttpResponse:
    found = _find(request, evaluation_id)
    job, spec = found.job, found.job.job_spec
    assert isinstance(spec, EvaluationSpec)
    numbers = numbers_of(found)
    known = {one["name"]: one for one in numbers["measures"]}
    context = {
        "one": found,
        "job": job,
        "spec": spec,
        "waiting": waiting_reason(job) if job.status == Job.Status.QUEUED else "",
        "finish": estimated_finish(job),
        "fault": _fault(job),
        "numbers": numbers,
        "measures": [(MEASURES[name], known[name]) for name in SHOWN if name in known],
        "speed": _speed(job),
        "bars": bars_of(numbers),
        "points": points_of(numbers),
        "overlap": overlaps_of(found),
        "others": comparable(found)[:50],
        "estimates": lines_of(job),
        "so_far": so_far(job),
        "attempts": job.attempts.select_related("worker").order_by("number"),
    }
    answer = render(request, "web/evaluation.html", context | _answers(request, found))
    if job.has_ended and "HX-Request" in request.headers:
        answer["HX-Refresh"] = "true"  # what appears at its end lies outside of the part that is asked for
    return answer


def _answers(request: HttpRequest, found: Evaluation) -> dict[str, Any]:
    order: Order = _one_of(request, "order", ANSWER_ORDERS, "worst")  # type: ignore[assignment]  # a key of it
    only: Filter = _one_of(request, "only", ANSWER_FILTERS, "all")  # type: ignore[assignment]
    page = max(1, int(asked)) if (asked := request.GET.get("page", "")).isdecimal() and len(asked) < 7 else 1
    answers = answers_of(found, order=order, only=only, limit=ANSWERS_A_PAGE, offset=(page - 1) * ANSWERS_A_PAGE)
    return {
        "answers": answers,
        "order": order,
        "only": only,
        "orders": ANSWER_ORDERS.items(),
        "filters": ANSWER_FILTERS.items(),
        "answers_page": page,
        "has_more": page * ANSWERS_A_PAGE < answers.total,
    }


def _one_of(request: HttpRequest, name: str, known: dict[str, Any], otherwise: str) -> str:
    asked = request.GET.get(name, "")
    return asked if asked in known else otherwise


def _speed(job: Job) -> float | None:
    """Tokens a second, of the last batch."""
    told = job.events.filter(type="metrics").order_by("-step").values_list("data", flat=True).first()
    return told["values"].get("tokens_per_s") if told else None


def _fault(job: Job) -> dict[str, Any] | None:
    report = job.fault_report
    return fault_json(report) | {"evidence": report.evidence} if report else None


def _find(request: HttpRequest, evaluation_id: str) -> Evaluation:
    try:
        return find_evaluation(team_of(person(request)), evaluation_id)
    except Fault:
        raise Http404 from None
