"""What remains of a job that succeeded: a model in the hub."""

import json

from contracts.event import Finished
from whetstone.artifacts.store import find, open_blob
from whetstone.jobs.models import Job
from whetstone.modelhub.models import Model


def keep_model(job: Job, event: Finished) -> Model:
    """Enter the trained model into the hub."""
    config = _config(job, event) or job.base.config
    return Model.objects.create(
        team=job.team,
        name=job.model_name,
        origin=Model.Origin.TRAINED,
        files=[file.model_dump(mode="json") for file in event.files],
        config=config,
        parameters=event.parameters,
        context_length=job.base.context_length,
        license=job.base.license,
        base=job.base,
        created_by=job.created_by,
    )


def _config(job: Job, event: Finished) -> dict[str, object] | None:
    file = next((file for file in event.files if file.path == "config.json"), None)
    blob = find(job.team, file.sha256) if file else None
    if blob is None:
        return None
    with open_blob(blob) as content:
        found = json.load(content)
    return found if isinstance(found, dict) else None
