"""Graders while they are being built: is this one right, and what does it give?"""

from typing import Any

from django.http import HttpRequest
from ninja import Router, Schema, Status
from pydantic import Field, JsonValue
from typing_extensions import TypedDict  # Pydantic reads no other before Python 3.12

from contracts.fault import Fault
from graders import Grader, GraderError, Port, asks_outside, item_columns, parse
from graders.attack import Outranked, Target, attack
from graders.contrast import contrast
from graders.summary import Summary
from whetstone.accounts.models import Team
from whetstone.api.caller import caller
from whetstone.api.errors import fault_json
from whetstone.api.native.sources import LARGEST, Named, grader_of, prepared, targets_of
from whetstone.api.scorers import trial_port
from whetstone.datasets.find import find_version
from whetstone.evaluators.contrasts import CONTRASTS
from whetstone.evaluators.judges import missing_outside
from whetstone.evaluators.reach import MOST_ROWS
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


class Understood(TypedDict):
    grader: dict[str, Any]  # Any: a grader's JSON
    asks_outside: bool


class Place(TypedDict):
    path: str
    message: str


class Misunderstood(TypedDict):
    errors: list[Place]


class TrickExample(TypedDict):
    row: int
    answer: str
    score: float
    right_score: float


class Trick(TypedDict):
    """How answers that are none fared against the right ones."""

    name: str
    tried: int
    wins: int
    mean: float | None
    right_mean: float | None
    title: str
    advice: str
    example: TrickExample | None


class Attacked(TypedDict):
    rows: int
    holds: bool
    tricks: list[Trick]


class Contrasted(TypedDict):
    rows: int
    right: Summary
    wrong: Summary | None
    told_apart: int
    ties: int
    inverted: int
    distinct: int
    warning: str | None


@router.post("/check", response={200: Understood, 422: Misunderstood})
def check(request: HttpRequest, body: Check) -> Status[Understood] | Status[Misunderstood]:
    """The grader as the platform understands it, or what is wrong with it and where."""
    try:
        grader = parse(body.grader)
    except GraderError as error:
        return Status(422, Misunderstood(errors=[Place(path=p.path, message=p.message) for p in error.problems]))
    team = caller(request).team
    if errors := [*_unknown_names(team, grader), *_unknown_columns(team, grader, body.dataset)]:
        return Status(422, Misunderstood(errors=errors))
    told = grader.model_dump(mode="json", exclude_none=True)
    return Status(200, Understood(grader=told, asks_outside=asks_outside(grader)))


def _unknown_names(team: Team, grader: Grader) -> list[Place]:
    return [{"path": path, "message": _said(fault)} for path, fault in missing_outside(team, grader)]


def _unknown_columns(team: Team, grader: Grader, dataset: str | None) -> list[Place]:
    if dataset is None:
        return []
    version = find_version(team, dataset, param="dataset")
    unknown = sorted(set(item_columns(grader)) - set(version.item_names))
    faults = [Fault("evaluator.column_missing", column=c, columns=", ".join(version.item_names)) for c in unknown]
    return [{"path": "", "message": _said(fault)} for fault in faults]


def _said(fault: Fault) -> str:
    """In the reader's language."""
    return fault_json(fault.report)["message"]


@router.post("/attack")
def attack_grader(request: HttpRequest, body: Attack) -> Attacked:
    """Whether answers that are no answers score below the right ones, on rows of a dataset."""
    grader, targets, port = _aimed(request, body, len(TRICKS) + 1, rows=20)
    found = attack(grader, targets, port)
    return {"rows": len(targets), "holds": not any(one.wins for one in found), "tricks": [*map(_told, found)]}


def _told(one: Outranked) -> Trick:
    title, advice = TRICKS[one.name]
    return {
        "name": one.name,
        "tried": one.tried,
        "wins": one.wins,
        "mean": one.mean,
        "right_mean": one.right_mean,
        "title": str(title),
        "advice": str(advice),
        "example": _example(*one.example) if one.example else None,
    }


def _example(row: int, answer: str, score: float, right_score: float) -> TrickExample:
    return {"row": row, "answer": answer, "score": score, "right_score": right_score}


@router.post("/contrast")
def contrast_grader(request: HttpRequest, body: Attack) -> Contrasted:
    """Whether right answers score above wrong ones. The wrong one of a row is the right one of the next row that has
    another: `told_apart`, `ties` and `inverted` count rows, and `warning` says why training would learn nothing."""
    grader, targets, port = _aimed(request, body, 2, rows=50)
    found = contrast(grader, targets, port)
    return {
        "rows": found.rows,
        "right": found.right,
        "wrong": found.wrong,
        "told_apart": found.told_apart,
        "ties": found.ties,
        "inverted": found.inverted,
        "distinct": found.distinct,
        "warning": str(CONTRASTS[found.warning]) if found.warning else None,
    }


def _aimed(request: HttpRequest, body: Attack, answers: int, rows: int) -> tuple[Grader, list[Target], Port]:
    """`answers`: how many are graded of each row. `rows`: how many there are when nobody says."""
    team = caller(request).team
    grader = grader_of(team, body)
    most = MOST_ROWS // answers if asks_outside(grader) else LARGEST
    targets = targets_of(prepared(team, body.dataset, body.offset, body.limit or min(rows, most)))
    if len(targets) > most:
        raise Fault("evaluator.too_many_rows", field="limit", most=str(most))
    return grader, targets, trial_port(team, grader)
