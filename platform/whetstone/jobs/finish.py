"""What remains of a job that succeeded: a model in the hub."""

from collections.abc import Iterable
from typing import Any

import orjson

from contracts.event import Finished
from contracts.job import FileRef
from whetstone.accounts.models import Team
from whetstone.artifacts.store import find, open_blob
from whetstone.jobs.models import Job
from whetstone.modelhub.models import Model

LARGEST_CONFIG = 4 * 1024 * 1024


def keep_model(job: Job, event: Finished, config: dict[str, Any] | None) -> Model:
    """Enter what was trained or merged into the hub. Without a config of its own it has its base's."""
    return Model.objects.create(
        team=job.team,
        name=_free_name(job),
        origin=Model.Origin.TRAINED,
        task=event.task,
        files=[file.model_dump(mode="json") for file in event.files],
        config=config or job.base.config,
        parameters=event.parameters,
        context_length=job.base.context_length,
        license=job.base.license,
        base=job.base,
        created_by=job.created_by,
    )


def _free_name(job: Job) -> str:
    """A trained model's name is its job's alone. One that somebody chose may have been taken meanwhile."""
    name = job.model_name
    if not Model.objects.filter(team=job.team, name=name).exists():
        return name
    return f"{name[:240]}-{job.id[-8:]}"


def read_config(team: Team, files: Iterable[FileRef]) -> dict[str, Any] | None:
    """A model's config.json from the store, which may be far away: never inside a transaction.

    None when it is not there, or says what no database keeps as JSON.
    """
    file = next((file for file in files if file.path == "config.json"), None)
    blob = find(team, file.sha256) if file else None
    if blob is None or blob.size > LARGEST_CONFIG:
        return None
    with open_blob(blob) as content:
        text = content.read()
    try:
        found = orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
    return found if isinstance(found, dict) and b"\\u0000" not in text else None
