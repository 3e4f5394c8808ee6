"""Two versions of an evaluator beside each other: their JSON, and what they give the same answers."""

from dataclasses import asdict, dataclass
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from contracts.fault import Fault
from graders import Grade
from whetstone.accounts.models import Team
from whetstone.accounts.scope import owned, person, team_of
from whetstone.api.errors import fault_json
from whetstone.api.native.diffs import SHOWN, compared, document_of
from whetstone.api.native.sources import MOST, Rows, Source, rows_of
from whetstone.datasets.models import DatasetVersion
from whetstone.evaluators.diff import AROUND, side_by_side
from whetstone.evaluators.models import Evaluator, EvaluatorVersion
from whetstone.jobs.rollouts import jobs_with_rollouts

LIMITS = (20, 100, 500, MOST)
LIMIT = 500


@dataclass(frozen=True)
class Row:
    """An answer with both of its receipts."""

    number: int
    """Counted from 1, as on the dataset's page."""
    answer: str
    item: Any  # Any: JSON
    left: Grade
    right: Grade
    flips: bool


@login_required
@require_safe
def compare(request: HttpRequest, name: str) -> HttpResponse:
    """`?left=2&right=3`, and with `on=dataset:ID` or `on=job:ID` (`limit=`) the scores too. `whole` folds nothing."""
    team = team_of(person(request))
    found = get_object_or_404(owned(Evaluator, team), name=name)
    versions = list(found.versions.select_related("evaluator", "created_by").order_by("-number"))
    right = _version(versions, request.GET.get("right", ""), 0)
    left = _version(versions, request.GET.get("left", ""), min(versions.index(right) + 1, len(versions) - 1))
    on, limit = request.GET.get("on", ""), _limit(request.GET.get("limit", ""))
    ours, theirs = document_of(left.grader), document_of(right.grader)
    lines = side_by_side(ours, theirs, around=None if "whole" in request.GET else AROUND)
    context = {
        "evaluator": found,
        "versions": versions,
        "left": left,
        "right": right,
        "lines": lines,
        "is_same": ours == theirs,
        "is_folded": any(line.kind == "folded" for line in lines),
        "sources": _sources(team),
        "on": on,
        "limit": limit,
        "limits": LIMITS,
        "scores": _scores(team, left, right, on, limit) if on else None,
    }
    return render(request, "web/evaluator_compare.html", context)


def _version(versions: list[EvaluatorVersion], asked: str, otherwise: int) -> EvaluatorVersion:
    return next((version for version in versions if str(version.number) == asked), versions[otherwise])


def _limit(asked: str) -> int:
    return int(asked) if asked in map(str, LIMITS) else LIMIT


def _sources(team: Team) -> dict[str, list[tuple[str, str]]]:
    datasets = owned(DatasetVersion, team).exclude(shape="").select_related("dataset").only("id", "number", "dataset")
    return {
        "datasets": [(f"dataset:{version.id}", str(version)) for version in datasets],
        "jobs": [(f"job:{job.id}", job.label) for job in jobs_with_rollouts(team)],
    }


def _scores(team: Team, left: EvaluatorVersion, right: EvaluatorVersion, on: str, limit: int) -> dict[str, Any]:
    """What the page says of both versions' scores, or the fault that kept it from comparing them."""
    kind, _, key = on.partition(":")
    try:
        rows = rows_of(team, Source.model_validate({kind: key, "limit": limit} if kind in ("dataset", "job") else {}))
        found, grades = compared(team, left.grader, right.grader, rows)
    except Fault as fault:
        return {"fault": fault_json(fault.report)}
    shown = [_row(rows, n, grades[n], n in found.differing[: found.flips]) for n in found.differing[:SHOWN]]
    return asdict(found) | {"rows": shown, "differing": len(found.differing)}


def _row(rows: Rows, n: int, grades: tuple[Grade, Grade], flips: bool) -> Row:
    answer = str(rows.samples[n].get("output_text") or "")
    return Row(rows.first + n + 1, answer, rows.items[n], *grades, flips)
