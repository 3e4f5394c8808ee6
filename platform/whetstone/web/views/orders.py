"""What a person tells a job of any kind: cancel, pause, go on."""

from collections.abc import Callable

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST

from contracts.fault import Fault
from whetstone.accounts.scope import owned, person, team_of
from whetstone.api.errors import fault_json
from whetstone.jobs.models import Job
from whetstone.jobs.record import ask, resume


@login_required
@require_POST
def cancel(request: HttpRequest, job_id: str) -> HttpResponse:
    return _order(request, job_id, lambda job: ask(job, Job.Wish.CANCEL))


@login_required
@require_POST
def pause(request: HttpRequest, job_id: str) -> HttpResponse:
    return _order(request, job_id, lambda job: ask(job, Job.Wish.PAUSE))


@login_required
@require_POST
def go_on(request: HttpRequest, job_id: str) -> HttpResponse:
    return _order(request, job_id, resume)


def _order(request: HttpRequest, job_id: str, order: Callable[[str], Job]) -> HttpResponse:
    found = get_object_or_404(owned(Job, team_of(person(request))), id=job_id)
    try:
        order(found.id)
    except Fault as fault:
        messages.error(request, fault_json(fault.report)["message"])
    return redirect("evaluation" if found.kind == Job.Kind.EVALUATION else "job", found.id)
