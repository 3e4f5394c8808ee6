"""Graders while they are being built: is this one right, and what does it give?"""

from dataclasses import asdict
from typing import Any

from django.http import HttpRequest
from ninja import Router, Schema, Status
from pydantic import Field, JsonValue

from contracts.dataset import PreparedRow, prepare
from contracts.fault import Fault
from graders import Grader, GraderError, asks_outside, grade, item_columns, parse, sample_of
from graders.attack import Outranked, Target, attack
from graders.summary import summary
from whetstone.accounts.models import Team
from whetstone.api.caller import caller
from whetstone.datasets.find import find_version
from whetstone.datasets.lines import read_rows
from whetstone.evaluators.judges import missing_outside
from whetstone.evaluators.reach import MOST_ROWS, web_port
from whetstone.evaluators.tricks import TRICKS

router = Router(tags=["graders"])


class Check(Schema):
    grader: JsonValue
    dataset: str | None = None
    """When given, columns that the grader reads must be there."""


class Try(Check):
    offset: int = Field(0, ge=0)
    limit: int = Field(5, ge=1, le=1000)
    samples: list[dict[str, JsonValue]] | None = None
    items: list[dict[str, JsonValue]] | None = None


class Attack(Schema):
    grader: JsonValue
    dataset: str
    offset: int = Field(0, ge=0)
    limit: int = Field(20, ge=1, le=200)


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
    return Status(200, {"grader": grader.model_dump(mode="json", exclude_none=True)})


def _unknown_names(team: Team, grader: Grader) -> list[dict[str, str]]:
    return [{"path": path, "message": str(fault)} for path, fault in missing_outside(team, grader)]


def _unknown_columns(team: Team, grader: Grader, dataset: str | None) -> list[dict[str, str]]:
    if dataset is None:
        return []
    version = find_version(team, dataset, param="dataset")
    unknown = sorted(set(item_columns(grader)) - set(version.item_names))
    faults = [Fault("evaluator.column_missing", column=c, columns=", ".join(version.item_names)) for c in unknown]
    return [{"path": "", "message": str(fault)} for fault in faults]


@router.post("/try")
def try_grader(request: HttpRequest, body: Try) -> dict[str, Any]:
    """Grade own samples, or rows of a dataset: there the row's own answer or reference is the sample."""
    grader = parse(body.grader)
    team = caller(request).team
    samples, items = _given(body) if body.dataset is None else _rows(team, body)
    if len(samples) > MOST_ROWS and asks_outside(grader):
        raise Fault("evaluator.too_many_rows", field="limit", most=str(MOST_ROWS))
    grades = grade(grader, samples, items, web_port(team, grader))
    return {
        "summary": asdict(summary(grades)),
        "grades": [
            {"sample": sample, "item": item, "grade": result.to_json()}
            for sample, item, result in zip(samples, items, grades, strict=True)
        ],
    }


@router.post("/attack")
def attack_grader(request: HttpRequest, body: Attack) -> dict[str, Any]:
    """Whether answers that are no answers score below the right ones, on rows of a dataset."""
    grader = parse(body.grader)
    team = caller(request).team
    rows = _prepared(team, body.dataset, body.offset, body.limit)
    if len(rows) * (len(TRICKS) + 1) > MOST_ROWS and asks_outside(grader):
        raise Fault("evaluator.too_many_rows", field="limit", most=str(MOST_ROWS // (len(TRICKS) + 1)))
    targets = [Target(_prompt(row)["prompt"], _right(row), row.item) for row in rows]
    found = attack(grader, targets, web_port(team, grader))
    return {"rows": len(targets), "holds": not any(one.wins for one in found), "tricks": [*map(_told, found)]}


def _told(one: Outranked) -> dict[str, Any]:
    title, advice = TRICKS[one.name]
    example = dict(zip(("row", "answer", "score", "right_score"), one.example, strict=True)) if one.example else None
    return asdict(one) | {"title": str(title), "advice": str(advice), "example": example}


def _given(body: Try) -> tuple[list[dict[str, JsonValue]], list[dict[str, JsonValue]]]:
    samples = [sample_of({"prompt": []} | sample) for sample in body.samples or []]
    items = body.items if body.items is not None else [{} for _ in samples]
    if len(items) != len(samples):
        raise Fault("request.invalid", field="items", detail="Give as many items as samples.")
    return samples, items


def _rows(team: Team, body: Try) -> tuple[list[dict[str, JsonValue]], list[dict[str, JsonValue]]]:
    rows = _prepared(team, body.dataset or "", body.offset, body.limit)
    given = body.samples or []
    own: list[dict[str, JsonValue]] = [{"output_text": _right(row)} for row in rows]
    tried = given[: len(own)] + own[len(given) :]
    samples = [sample_of({**_prompt(row), **sample}) for row, sample in zip(rows, tried, strict=True)]
    return samples, [row.item for row in rows]


def _prepared(team: Team, dataset: str, offset: int, limit: int) -> list[PreparedRow]:
    version = find_version(team, dataset, param="dataset")
    if not version.shape:
        raise Fault("dataset.not_mapped", field="dataset", dataset=str(version))
    return [prepare(row, version.column_mapping) for row in read_rows(version, offset, limit)]


def _right(row: PreparedRow) -> str:
    """The answer that the row holds, or its reference."""
    return row.completion if row.completion is not None else _text(row.item.get("reference"))


def _prompt(row: PreparedRow) -> dict[str, Any]:
    return {"prompt": [{"role": turn.role, "content": turn.content} for turn in row.prompt]}


def _text(value: JsonValue) -> str:
    return value if isinstance(value, str) else "" if value is None else str(value)
