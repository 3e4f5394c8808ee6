"""Bringing a published test set: a dataset and an evaluator come of its file, and the form of an evaluation follows."""

from typing import Any, cast
from urllib.parse import urlencode

from django.contrib.auth.decorators import login_required
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods
from pydantic import BaseModel, Field, ValidationError

from contracts.fault import Fault
from whetstone.accounts.models import Team
from whetstone.accounts.scope import owned, person, team_of
from whetstone.api.errors import fault_json
from whetstone.evaluators.models import Judge
from whetstone.suites.bring import MOST_SHOTS, Brought, Order, SuiteName, bring, of_upload
from whetstone.web.words import SUITES


class Given(BaseModel):
    """The form, its files aside."""

    suite: SuiteName = "gsm8k"
    name: str = Field(min_length=1, max_length=100, pattern=r"^[\w.-]+$")
    shots: int = Field(0, ge=0, le=MOST_SHOTS)
    judge: str = Field("", max_length=256)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def suites(request: HttpRequest) -> HttpResponse:
    team = team_of(person(request))
    problem: dict[str, Any] | None = None
    if request.method == "POST":
        try:
            return redirect(_evaluation_of(_brought(request, team)))
        except Fault as fault:
            problem = dict(fault_json(fault.report))
    context = {
        "suites": SUITES.items(),
        "judges": owned(Judge, team),
        "given": request.POST,
        "problem": problem,
        "most_shots": MOST_SHOTS,
    }
    return render(request, "web/suites.html", context, status=400 if problem else 200)


def _brought(request: HttpRequest, team: Team) -> Brought:
    given, file = _given(request), _file(request, "file")
    if file is None:
        raise Fault("request.invalid", field="file", detail=_("Choose the file of the test set."))
    examples = _file(request, "examples")
    order = Order(
        suite=given.suite,
        name=given.name,
        file=of_upload(file),
        examples=of_upload(examples) if examples else None,
        shots=given.shots,
        judge=given.judge,
    )
    return bring(person(request), team, order)


def _given(request: HttpRequest) -> Given:
    try:
        return Given.model_validate({name: value for name, value in request.POST.items() if value})
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise Fault(
            "request.invalid", field=str(first["loc"][0]), detail=f"{first['loc'][0]}: {first['msg']}"
        ) from None


def _file(request: HttpRequest, name: str) -> "UploadedFile[bytes] | None":
    return cast("UploadedFile[bytes] | None", request.FILES.get(name))


def _evaluation_of(made: Brought) -> str:
    """The form of an evaluation, filled in as far as the suite goes."""
    query = {"dataset": made.dataset.id, "evaluator": str(made.evaluator)}
    return f"{reverse('evaluation-new')}?{urlencode(query | {'max_completion_length': made.longest_answer})}"
