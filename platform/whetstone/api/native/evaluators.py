"""Evaluators: saved graders and their versions."""

from typing import Any

from django.http import HttpRequest
from ninja import Router, Schema
from pydantic import Field, JsonValue

from graders import parse
from whetstone.accounts.scope import owned
from whetstone.api.caller import caller
from whetstone.evaluators.find import find_evaluator
from whetstone.evaluators.models import EvaluatorVersion
from whetstone.evaluators.save import save_evaluator

router = Router(tags=["evaluators"])


class Saved(Schema):
    name: str = Field(min_length=1, max_length=128, pattern=r"^[^@/\s][^@/]*$")
    grader: JsonValue
    note: str = Field("", max_length=500)


def evaluator_json(version: EvaluatorVersion) -> dict[str, Any]:
    return {
        "name": version.evaluator.name,
        "version": version.number,
        "ref": str(version),
        "grader": version.document,
        "note": version.note,
        "created_at": int(version.created_at.timestamp()),
    }


@router.get("")
def list_evaluators(request: HttpRequest) -> dict[str, Any]:
    rows = owned(EvaluatorVersion, caller(request).team).select_related("evaluator")
    return {"data": [evaluator_json(version) for version in rows]}


@router.post("")
def save(request: HttpRequest, body: Saved) -> dict[str, Any]:
    """Save as the next version under this name."""
    who = caller(request)
    return evaluator_json(save_evaluator(who.user, who.team, body.name, parse(body.grader), body.note))


@router.get("/{path:ref}")
def retrieve(request: HttpRequest, ref: str) -> dict[str, Any]:
    """`math@3`, or `math` for the newest."""
    return evaluator_json(find_evaluator(caller(request).team, ref, param="ref"))
