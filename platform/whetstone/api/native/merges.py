"""Merges: adapters on their way to whole models."""

from typing import Annotated

from django.http import HttpRequest
from ninja import Router, Schema
from pydantic import ConfigDict, Field
from typing_extensions import TypedDict  # Pydantic reads no other before Python 3.12

from whetstone.api.answers import described, one_of
from whetstone.api.caller import caller
from whetstone.api.errors import ErrorJson, fault_json
from whetstone.jobs.merge import find_merge, merge
from whetstone.jobs.models import Job
from whetstone.jobs.record import ask
from whetstone.modelhub.find import find_model

router = Router(tags=["models"])


@described
class MergeJson(TypedDict):
    id: str
    status: Annotated[str, one_of(*Job.Status.values)]
    reason: str
    phase: str
    step: int
    total_steps: int
    adapter: str
    model: str
    """The name of what comes of it, or came."""
    error: ErrorJson | None


class NewMerge(Schema):
    model_config = ConfigDict(extra="forbid")

    adapter: str = Field(min_length=1, max_length=256)
    """The name of an adapter of the hub."""
    name: str = Field("", max_length=200)
    """Of the model that comes of it. Without: the adapter's, and “-merged”."""
    pool: str = Field("auto", max_length=64)


@router.post("")
def begin(request: HttpRequest, body: NewMerge) -> MergeJson:
    """A worker makes a whole model of an adapter and its base. Asked for again meanwhile, it is the same merge."""
    who = caller(request)
    return merge_json(merge(who.user, find_model(who.team, body.adapter, param="adapter"), body.name, body.pool))


@router.get("/{job_id}")
def retrieve(request: HttpRequest, job_id: str) -> MergeJson:
    return merge_json(find_merge(caller(request).team, job_id))


@router.post("/{job_id}/cancel")
def cancel(request: HttpRequest, job_id: str) -> MergeJson:
    team = caller(request).team
    ask(find_merge(team, job_id).id, Job.Wish.CANCEL)
    return merge_json(find_merge(team, job_id))


def merge_json(job: Job) -> MergeJson:
    return {
        "id": job.id,
        "status": job.status,
        "reason": job.reason,
        "phase": job.phase,
        "step": job.step,
        "total_steps": job.total_steps,
        "adapter": job.base.name,
        "model": job.trained.name if job.trained else job.model_name,
        "error": fault_json(job.fault_report) if job.fault_report else None,
    }
