"""`/v1/fine_tuning/checkpoints/{checkpoint}/permissions`: teams stand where OpenAI has projects."""

from typing import Annotated, Literal

from django.http import HttpRequest
from ninja import Query, Router, Schema
from pydantic import Field

from contracts.fault import Fault
from whetstone.api.answers import Page
from whetstone.api.caller import caller
from whetstone.api.openai.objects import permission_json
from whetstone.api.openai.pages import as_page, page
from whetstone.api.openai.schema import Deleted, PermissionJson
from whetstone.jobs.permissions import permissions_of, permit, require_checkpoint

router = Router(tags=["checkpoints"])


class Permitted(Schema):
    project_ids: list[str] = Field(min_length=1, max_length=100)
    """Short names of teams."""


@router.post("/{path:checkpoint}/permissions")
def create(request: HttpRequest, checkpoint: str, body: Permitted) -> Page[PermissionJson]:
    """Let other teams of yours see it: `GET /v1/models/{checkpoint}` answers them. They cannot begin with it."""
    who = caller(request)
    made = permit(who.user, who.team, checkpoint, body.project_ids)
    return as_page([permission_json(one) for one in made], has_more=False)


@router.get("/{path:checkpoint}/permissions")
def list_permissions(
    request: HttpRequest,
    checkpoint: str,
    after: str | None = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 10,
    order: Literal["ascending", "descending"] = "descending",
    project_id: str | None = None,
) -> Page[PermissionJson]:
    team = caller(request).team
    require_checkpoint(team, checkpoint)
    rows = permissions_of(team, checkpoint)
    rows = rows.filter(project__slug=project_id) if project_id else rows
    return page(rows, permission_json, after=after, limit=limit, newest_first=order == "descending")


@router.delete("/{path:checkpoint}/permissions/{permission_id}")
def delete(request: HttpRequest, checkpoint: str, permission_id: str) -> Deleted:
    deleted, _by_model = permissions_of(caller(request).team, checkpoint).filter(id=permission_id).delete()
    if not deleted:
        raise Fault("permission.not_found", field="permission_id", permission=permission_id)
    return {"id": permission_id, "object": "checkpoint.permission", "deleted": True}
