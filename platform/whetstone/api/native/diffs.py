"""Two graders beside each other: what differs in their JSON, and in what they give the same answers."""

from collections.abc import Sequence
from typing import NotRequired

from django.http import HttpRequest
from ninja import Router
from pydantic import Field, JsonValue
from typing_extensions import TypedDict  # Pydantic reads no other before Python 3.12

from contracts.fault import Fault
from graders import Grade, Grader, GraderError, parse
from graders.diff import Change, Comparison, FlipAt, changes, compare, flip_at
from graders.receipt import GradeJson
from whetstone.accounts.models import Team
from whetstone.api.caller import caller
from whetstone.api.native.sources import MOST, Rows, Source, Told, rows_of
from whetstone.api.native.trials import graded
from whetstone.evaluators.find import find_evaluator

router = Router(tags=["evaluators"])
SHOWN = 100
"""Rows that are told one by one."""


class Diff(Source):
    """Each side is a saved evaluator (`math@2`) or a grader's JSON. Without a source no answers are graded."""

    left: JsonValue
    right: JsonValue
    limit: int = Field(500, ge=1, le=MOST)


class Compared(Told):
    left: GradeJson
    right: GradeJson


class Scores(TypedDict):
    total: int
    compared: int
    flips: int
    flip_at: FlipAt
    rank_correlation: float | None
    mean_left: float | None
    mean_right: float | None
    rows: list[Compared]


class DiffJson(TypedDict):
    changes: list[Change]
    scores: NotRequired[Scores]


@router.post("/diff")
def diff(request: HttpRequest, body: Diff) -> DiffJson:
    """What differs between two graders.

    `changes`: places in the JSON, defaults filled in. `scores`, with a source: both grade the same answers. A row flips
    when it passes on one side alone: from the pass thresholds on when both graders have one, otherwise from 0.5 on, as
    `flip_at` says. `rank_correlation` is Spearman's, `mean_left` and `mean_right` are of the rows that both scored
    (`compared` of `total`), and `rows` are up to 100 of those that differ: flipped ones first, then those that only one
    side could score, then the largest differences.
    """
    team = caller(request).team
    left, right = _side(team, body.left, "left"), _side(team, body.right, "right")
    found = changes(document_of(left), document_of(right))
    if body.samples is None and body.dataset is None and body.job is None:
        return {"changes": found}
    rows = rows_of(team, body)
    comparison, grades = compared(team, left, right, rows)
    return {"changes": found, "scores": _scores(comparison, rows, grades)}


def _side(team: Team, given: JsonValue, field: str) -> Grader:
    if isinstance(given, str):
        return find_evaluator(team, given, param=field).grader
    try:
        return parse(given)
    except GraderError as error:
        first = error.problems[0]
        raise Fault("evaluator.invalid", field=f"{field}.{first.path}".rstrip("."), detail=first.message) from None


def document_of(grader: Grader) -> JsonValue:
    document: JsonValue = grader.model_dump(mode="json", exclude_none=True)
    return document


def compared(team: Team, left: Grader, right: Grader, rows: Rows) -> tuple[Comparison, list[tuple[Grade, Grade]]]:
    """The comparison, and both grades of each row. Raises Fault evaluator.too_many_rows."""
    ours, theirs = graded(team, left, rows), graded(team, right, rows)
    return compare(ours, theirs, flip_at(left, right)), list(zip(ours, theirs, strict=True))


def _scores(found: Comparison, rows: Rows, grades: Sequence[tuple[Grade, Grade]]) -> Scores:
    return {
        "total": found.total,
        "compared": found.compared,
        "flips": found.flips,
        "flip_at": found.flip_at,
        "rank_correlation": found.rank_correlation,
        "mean_left": found.mean_left,
        "mean_right": found.mean_right,
        "rows": [_compared(rows, n, grades[n]) for n in found.differing[:SHOWN]],
    }


def _compared(rows: Rows, n: int, grades: tuple[Grade, Grade]) -> Compared:
    left, right = grades
    return {**rows.told(n), "left": left.to_json(), "right": right.to_json()}
