"""Graders while they are being built: is this one right, and what does it give?"""

from dataclasses import asdict
from typing import Any

from django.http import HttpRequest
from ninja import Router, Schema, Status
from pydantic import Field, JsonValue

from contracts.fault import Fault
from graders import Grader, GraderError, Port, asks_outside, item_columns, parse
from graders.attack import Outranked, Target, attack
from graders.contrast import contrast
from whetstone.accounts.models import Team
from whetstone.api.caller import caller
from whetstone.api.errors import fault_json
from whetstone.api.native.sources import LARGEST, Named, grader_of, prepared, targets_of
from whetstone.datasets.find import find_version
from whetstone.evaluators.contrasts import CONTRASTS
from whetstone.evaluators.judges import missing_outside
from whetstone.evaluators.reach import MOST_ROWS, web_port
from whetstone.evaluators.tricks import TRICKS

router = Router(tags=["graders"])


class Check(Schema):
    grader: JsonValue
    dataset: str | None = None
    """When given, columns that the grader reads must be there."""


class Attack(Named):
    dataset: str
    offset: int = Field(0, ge=0, le=LARGEST)
    limit: int | None = Field(None, ge=1, le=200)
    """Without it, a good number: fewer where judges or web services are asked."""


@router.post("/check", response={200: dict[str, Any], 422: dict[str, Any]})
def check(request: HttpRequest, body: Check) -> Status[dict[str, Any]]:
    """The grader as the platform understands it, or what is wrong with it and where."""
    try:
        grader = parse(body.grader)
    except GraderError as error:
        return Status(422, {"errors": [{"path": p.path, "message": p.message} for p in error.problems]})
    team = caller(request).team
    if errors := [*_unknown_names(team, grader), *_unknown_columns(team, grader, body.dataset)]:
        return Status(422, {"errors": errors})
    told = grader.model_dump(mode="json", exclude_none=True)
    return Status(200, {"grader": told, "asks_outside": asks_outside(grader)})


def _unknown_names(team: Team, grader: Grader) -> list[dict[str, str]]:
    return [{"path": path, "message": _said(fault)} for path, fault in missing_outside(team, grader)]


def _unknown_columns(team: Team, grader: Grader, dataset: str | None) -> list[dict[str, str]]:
    if dataset is None:
        return []
    version = find_version(team, dataset, param="dataset")
    unknown = sorted(set(item_columns(grader)) - set(version.item_names))
    faults = [Fault("evaluator.column_missing", column=c, columns=", ".join(version.item_names)) for c in unknown]
    return [{"path": "", "message": _said(fault)} for fault in faults]


def _said(fault: Fault) -> str:
    """In the reader's language."""
    message: str = fault_json(fault.report)["message"]
    return message


@router.post("/attack")
def attack_grader(request: HttpRequest, body: Attack) -> dict[str, Any]:
    """Whether answers that are no answers score below the right ones, on rows of a dataset."""
    grader, targets, port = _aimed(request, body, len(TRICKS) + 1, rows=20)
    found = attack(grader, targets, port)
    return {"rows": len(targets), "holds": not any(one.wins for one in found), "tricks": [*map(_told, found)]}


def _told(one: Outranked) -> dict[str, Any]:
    title, advice = TRICKS[one.name]
    example = dict(zip(("row", "answer", "score", "right_score"), one.example, strict=True)) if one.example else None
    return asdict(one) | {"title": str(title), "advice": str(advice), "example": example}


@router.post("/contrast")
def contrast_grader(request: HttpRequest, body: Attack) -> dict[str, Any]:
    """Whether right answers score above wrong ones. The wrong one of a row is the right one of the next row that has
    another: `told_apart`, `ties` and `inverted` count rows, and `warning` says why training would learn nothing."""
    grader, targets, port = _aimed(request, body, 2, rows=50)
    found = contrast(grader, targets, port)
    return asdict(found) | {"warning": str(CONTRASTS[found.warning]) if found.warning else None}


def _aimed(request: HttpRequest, body: Attack, answers: int, rows: int) -> tuple[Grader, list[Target], Port]:
    """`answers`: how many are graded of each row. `rows`: how many there are when nobody says."""
    team = caller(request).team
    grader = grader_of(team, body)
    most = MOST_ROWS // answers if asks_outside(grader) else LARGEST
    targets = targets_of(prepared(team, body.dataset, body.offset, body.limit or min(rows, most)))
    if len(targets) > most:
        raise Fault("evaluator.too_many_rows", field="limit", most=str(most))
    return grader, targets, web_port(team, grader)
