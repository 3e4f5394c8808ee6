"""Evaluators: saved graders and their versions."""

import json
from collections.abc import Sequence
from typing import Annotated, Any

from django.http import HttpRequest, HttpResponse
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from ninja import Query, Router, Schema, Status
from pydantic import AfterValidator, Field, JsonValue
from typing_extensions import TypedDict  # Pydantic reads no other before Python 3.12

from graders import parse
from whetstone.accounts.scope import owned
from whetstone.api.answers import Everything, Page, described
from whetstone.api.caller import caller
from whetstone.api.native.sources import LARGEST
from whetstone.api.openai.pages import Row, as_page, page
from whetstone.evaluators.delete import delete_evaluator, delete_evaluator_version
from whetstone.evaluators.export import export
from whetstone.evaluators.find import find_evaluator, find_whole, jobs_by_version, newest_versions
from whetstone.evaluators.models import Evaluator, EvaluatorVersion
from whetstone.evaluators.save import save_evaluator
from whetstone.evaluators.templates import TemplateJson, templates_for

router = Router(tags=["evaluators"])
templates = Router(tags=["evaluators"])
Limit = Annotated[int, Query(ge=1, le=100)]
RESERVED = (".", "..", "diff")
"""Names that an address could not tell from something else."""


def _can_be_addressed(name: str) -> str:
    if not name or name[0].isspace() or set("@/") & set(name):
        raise ValueError(_("A name holds no “@” and no “/”, and does not begin with a space."))
    if name in RESERVED or not name.isprintable():
        raise ValueError(_("An evaluator cannot be called that: choose another name."))
    return name


class Saved(Schema):
    name: Annotated[str, AfterValidator(_can_be_addressed)] = Field(min_length=1, max_length=128)
    grader: JsonValue
    note: str = Field("", max_length=500)
    base: int | None = Field(None, ge=0, le=LARGEST)
    """The number of the version that it was made from, 0 for a name that is to be new: refused with 409 when another
    version is the newest one by now. Without, it becomes the next version whatever that is."""


@described
class EvaluatorJson(TypedDict):
    """One version of an evaluator."""

    id: str
    name: str
    version: int
    ref: str
    """`name@version`, the same as `id`."""
    grader: dict[str, Any]  # Any: a grader's JSON
    note: str
    author: str
    sha256: str
    created_at: int
    used_by: int
    """Jobs that were graded with it."""


@router.get("")
def list_evaluators(request: HttpRequest, after: str | None = None, limit: Limit = 20) -> Page[EvaluatorJson]:
    """The newest version of each, the evaluator that was made last first. `after` is the last name seen."""
    team = caller(request).team
    last = str(find_whole(team, after, param="after").pk) if after is not None else None
    found = page(owned(Evaluator, team), _named, after=last, limit=limit)
    names = [row["id"] for row in found["data"]]
    newest = list(newest_versions(team).filter(evaluator__name__in=names))
    newest.sort(key=lambda version: names.index(version.evaluator.name))
    return {**found, "data": _json(newest)}


def _named(evaluator: Evaluator) -> Row:
    return {"id": evaluator.name}


@router.post("")
def save(request: HttpRequest, body: Saved) -> EvaluatorJson:
    """Save as the next version under this name. Saving what the newest version already is changes nothing."""
    who = caller(request)
    return _json([save_evaluator(who.user, who.team, body.name, parse(body.grader), body.note, body.base)])[0]


@router.get("/{name}/versions")
def list_versions(request: HttpRequest, name: str, after: str | None = None, limit: Limit = 20) -> Page[EvaluatorJson]:
    """Newest first. `after` is the `ref` of the last one seen, like `math@3`."""
    team = caller(request).team
    rows = find_whole(team, name).versions.select_related("evaluator", "created_by").order_by("-number")
    if after is not None:
        rows = rows.filter(number__lt=find_evaluator(team, after, param="after").number)
    found = list(rows[: limit + 1])
    return as_page(_json(found[:limit]), has_more=len(found) > limit)


@router.get("/{ref}/export")
def export_version(request: HttpRequest, ref: str) -> HttpResponse:
    """The grader's JSON as a file: `POST /api/v1/evaluators` takes it back as `grader`, and OpenAI where it has the
    kind."""
    version = find_evaluator(caller(request).team, ref, param="ref")
    headers = {"Content-Disposition": content_disposition_header(True, f"{version}.json") or "attachment"}
    text = json.dumps(export(version.grader), indent=2, ensure_ascii=False) + "\n"
    return HttpResponse(text, content_type="application/json", headers=headers)


@router.get("/{ref}")
def retrieve(request: HttpRequest, ref: str) -> EvaluatorJson:
    """`math@3`, or `math` for the newest."""
    return _json([find_evaluator(caller(request).team, ref, param="ref")])[0]


@router.delete("/{ref}", response={204: None})
def remove(request: HttpRequest, ref: str) -> Status[None]:
    """`math@3` deletes this version, and `math` all of them. Refused while a job refers to one."""
    team = caller(request).team
    if "@" in ref:
        delete_evaluator_version(find_evaluator(team, ref, param="ref"))
    else:
        delete_evaluator(find_whole(team, ref, param="ref"))
    return Status(204, None)


@templates.get("")
def list_templates(request: HttpRequest) -> Everything[TemplateJson]:
    """Rewards to begin with: each a grader, and `samples` that it should call right, half right or wrong, and why.

    Where a judge or a reward model is asked, its name is the team's first one, or `your-judge`, `your-reward-model`.
    """
    return {"data": templates_for(caller(request).team)}


def _json(versions: Sequence[EvaluatorVersion]) -> list[EvaluatorJson]:
    used = jobs_by_version(versions)
    return [evaluator_json(version, used[version.id]) for version in versions]


def evaluator_json(version: EvaluatorVersion, used_by: int) -> EvaluatorJson:
    return {
        "id": str(version),
        "name": version.evaluator.name,
        "version": version.number,
        "ref": str(version),
        "grader": version.document,
        "note": version.note,
        "author": version.created_by.get_username(),
        "sha256": version.sha256,
        "created_at": int(version.created_at.timestamp()),
        "used_by": used_by,
    }
