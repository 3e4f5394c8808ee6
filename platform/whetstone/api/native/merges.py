"""Merges: adapters on their way to whole models."""

from typing import Annotated

from django.http import HttpRequest
from ninja import Router
from typing_extensions import TypedDict  # Pydantic reads no other before Python 3.12

from whetstone.api.answers import described, one_of
from whetstone.api.caller import caller
from whetstone.api.errors import ErrorJson, fault_json
from whetstone.jobs.merge import find_merge
from whetstone.jobs.models import Job
from whetstone.jobs.record import ask

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
