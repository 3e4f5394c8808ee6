"""Two models that answered the same rows, side by side: may the candidate ship?"""

from collections.abc import Mapping
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from contracts.evaluation import EvaluationSpec
from contracts.fault import Fault
from whetstone.accounts.scope import person, team_of
from whetstone.api.errors import fault_json
from whetstone.evaluations.answers import answers_to_rows
from whetstone.evaluations.comparison import Comparison, Pair, card_of, compare
from whetstone.evaluations.find import comparable, find_evaluation
from whetstone.evaluations.models import Evaluation
from whetstone.evaluations.overlap import overlaps_of
from whetstone.jobs.models import Job
from whetstone.web.words import CHANGES, JUDGEMENTS, VERDICTS

SHOWN = 20
BARS = {"min_delta": "delta > {}", "min_mean": "mean >= {}", "max_regressed": "regressed <= {}"}
"""What the form asks, as requirements."""
WIDTH = 640


@login_required
@require_safe
def compare_page(request: HttpRequest) -> HttpResponse:
    """`?candidate=…&baseline=…`, and the bars. While one of them is under way the page watches both."""
    candidate, baseline = (_find(request, request.GET.get(name, "")) for name in ("candidate", "baseline"))
    both = [candidate, baseline]
    bars = _bars(request.GET)
    context: dict[str, Any] = {
        "candidate": candidate,
        "baseline": baseline,
        "both": both,
        "bars": bars,
        "others": comparable(candidate)[:50],
        "is_moving": any(not one.job.has_ended for one in both),
        "spec": candidate.job.job_spec,
    }
    if all(one.job.status == Job.Status.SUCCEEDED for one in both):
        context |= _result(candidate, baseline, bars)
    answer = render(request, "web/evaluation_comparison.html", context)
    if not context["is_moving"] and "HX-Request" in request.headers:
        answer["HX-Refresh"] = "true"
    return answer


def _find(request: HttpRequest, evaluation_id: str) -> Evaluation:
    try:
        return find_evaluation(team_of(person(request)), evaluation_id)
    except Fault:
        raise Http404 from None


def _bars(given: Mapping[str, str]) -> dict[str, str]:
    """What was stated, as it was written. Without any the candidate must be better at all."""
    stated = {name: given[name].strip() for name in BARS if given.get(name, "").strip()}
    return stated if any(name in given for name in BARS) else {"min_delta": "0"}


def _result(candidate: Evaluation, baseline: Evaluation, bars: dict[str, str]) -> dict[str, Any]:
    try:
        found = compare(candidate, baseline)
        card = card_of(found, tuple(BARS[name].format(text) for name, text in bars.items()))
    except Fault as fault:
        return {"fault": fault_json(fault.report)}
    spec = candidate.job.job_spec
    assert isinstance(spec, EvaluationSpec)
    known = {one["name"]: one for one in found.measures}
    return {
        "found": found,
        "card": card,
        "verdict": VERDICTS[card.verdict],
        "judged": [(bar, CHANGES.get(bar.requirement.name), JUDGEMENTS[bar.judgement]) for bar in card.bars],
        "changes": [(label, known[name]) for name, label in CHANGES.items() if name in known],
        "shares": _shares(found),
        "regressed": _pairs(candidate, baseline, found.losses),
        "improved": _pairs(candidate, baseline, found.wins),
        "overlap": overlaps_of(candidate),
    }


def _shares(found: Comparison) -> list[tuple[str, int, float, float]]:
    """Kind, rows, and from where to where its part of the bar goes."""
    parts = [("win", len(found.wins)), ("tie", found.ties), ("lose", len(found.losses))]
    total, left, placed = max(1, len(found.pairs)), 0.0, []
    for kind, count in parts:
        width = round(WIDTH * count / total, 2)
        placed.append((kind, count, round(left, 2), width))
        left += width
    return placed


def _pairs(candidate: Evaluation, baseline: Evaluation, pairs: list[Pair]) -> list[dict[str, Any]]:
    shown = pairs[:SHOWN]
    rows = [one.row for one in shown]
    after, before = answers_to_rows(candidate, rows), answers_to_rows(baseline, rows)
    return [
        {
            "pair": one,
            "was": {"score": one.baseline},
            "now": {"score": one.candidate},
            "before": before.get(one.row, []),
            "after": after.get(one.row, []),
        }
        for one in shown
    ]
