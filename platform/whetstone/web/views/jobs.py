"""Jobs: the list, the new one, and one that runs or ran."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from contracts.fault import Fault
from contracts.method import METHODS
from whetstone.accounts.scope import owned, person, team_of
from whetstone.api.errors import fault_json
from whetstone.jobs.keep import keep_checkpoint
from whetstone.jobs.kinds import trainings
from whetstone.jobs.models import Job
from whetstone.jobs.rlhf import taught_for
from whetstone.jobs.tail import as_json, told
from whetstone.jobs.waiting import waiting_reason
from whetstone.web import words
from whetstone.web.checkpoints import checkpoint_rows
from whetstone.web.estimates import lines_of, so_far
from whetstone.web.new_job import form_data
from whetstone.web.results import result_of

JOBS_A_PAGE = 30
LOG_EVENTS = 400
LISTED = ("status", "phase", "attempt", "checkpoint", "evaluation", "finished")
LISTED_EVENTS = 200


@login_required
@require_safe
def jobs(request: HttpRequest) -> HttpResponse:
    mine = trainings(team_of(person(request))).select_related("base", "created_by")
    status = request.GET.get("status", "")
    shown = mine.filter(status=status) if status in Job.Status.values else mine
    page = Paginator(shown, JOBS_A_PAGE).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "jobs": [(job, words.METHODS[job.method], result_of(job) if job.has_ended else None) for job in page],
        "status": status,
        "statuses": [(value, words.STATUSES[value]) for value in Job.Status.values],
        "has_any": mine.exists(),
    }
    return render(request, "web/jobs.html", context)


@login_required
@require_safe
def new(request: HttpRequest) -> HttpResponse:
    """An empty draft, one with `?model=`, `?method=`, `?dataset=` or `?evaluator=` chosen, or a clone (`?from=`)."""
    data = form_data(team_of(person(request)), request.GET)
    return render(request, "web/job_new.html", {"data": data, "cloned": request.GET.get("from", "")})


@login_required
@require_safe
def job(request: HttpRequest, job_id: str) -> HttpResponse:
    mine = owned(Job, team_of(person(request)))
    if mine.filter(id=job_id, kind=Job.Kind.EVALUATION).exists():
        return redirect("evaluation", job_id)
    if merging := mine.filter(id=job_id, kind=Job.Kind.MERGE).first():
        return redirect("model", merging.base_id)
    found = get_object_or_404(
        mine.select_related(
            "base", "training__dataset", "validation__dataset", "evaluator__evaluator", "trained", "created_by"
        ),
        id=job_id,
    )
    context = {
        "job": found,
        "method": words.METHODS[found.method],
        "fault": _fault(found),
        "waiting": waiting_reason(found) if found.status == Job.Status.QUEUED else "",
        "result": result_of(found) if found.has_ended else None,
        "log": _log(found),
        "events": _listed(found),
        "checkpoints": checkpoint_rows(found),
        "taught": taught_for(found),
        "has_rollouts": METHODS[found.method].is_reinforcement,
        "estimates": lines_of(found),
        "so_far": so_far(found),
        "attempts": found.attempts.select_related("worker").order_by("number"),
    }
    return render(request, "web/job.html", context)


def _fault(found: Job) -> dict[str, Any] | None:
    """What went wrong, what was seen and what to do next, in the reader's language."""
    report = found.fault_report
    return fault_json(report) | {"evidence": report.evidence} if report else None


def _log(found: Job) -> str:
    texts = found.events.filter(type="log").order_by("-number").values_list("data__text", flat=True)
    return "".join(text if text.endswith("\n") else f"{text}\n" for text in reversed(texts[:LOG_EVENTS]))


def _listed(found: Job) -> list[dict[str, Any]]:
    newest = told(found.events.filter(type__in=LISTED).order_by("-number")[:LISTED_EVENTS])
    return [as_json(event) for event in reversed(newest)]


@login_required
@require_POST
def keep(request: HttpRequest, job_id: str, step: int) -> HttpResponse:
    """Make a model of a checkpoint, and show it."""
    who = person(request)
    found = get_object_or_404(owned(Job, team_of(who)).select_related("team", "base"), id=job_id)
    try:
        return redirect("model", keep_checkpoint(who, found, step).pk)
    except Fault as fault:
        messages.error(request, fault_json(fault.report)["message"])
    return redirect("job", job_id)
