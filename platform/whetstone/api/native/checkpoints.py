"""Checkpoints of a job: made a model of, or taken along."""

from typing import Annotated

from django.http import HttpRequest, StreamingHttpResponse
from ninja import Query, Router

from whetstone.api.bodies import archive
from whetstone.api.caller import caller
from whetstone.api.native.models import ModelJson, model_json
from whetstone.api.openai.jobs import find_job
from whetstone.jobs.checkpoints import find_checkpoint
from whetstone.jobs.keep import keep_checkpoint
from whetstone.jobs.provenance import facts_of_job
from whetstone.modelhub.export import file_name, package
from whetstone.modelhub.parts import of_checkpoint

router = Router(tags=["jobs"])
Name = Annotated[str, Query(max_length=200)]


@router.post("/{job_id}/checkpoints/{step}/model")
def keep(request: HttpRequest, job_id: str, step: int, name: Name = "") -> ModelJson:
    """Make a model of the checkpoint, `name` or as OpenAI calls it. Sent twice, it answers with the same model."""
    return model_json(keep_checkpoint(caller(request).user, find_job(request, job_id), step, name))


@router.get("/{job_id}/checkpoints/{step}/export")
def export_checkpoint(request: HttpRequest, job_id: str, step: int) -> StreamingHttpResponse:
    """A tar of what the checkpoint holds, without the state of its training: the whole model, or its adapter."""
    job = find_job(request, job_id)
    found = find_checkpoint(job, step)
    name = job.checkpoint_name(step)
    entries = package(job.team, of_checkpoint(found.files), name, facts_of_job(job, step), base=job.base.name)
    return archive(entries, found.at, file_name(name, ".adapter.tar" if found.is_adapter else ".tar"))
