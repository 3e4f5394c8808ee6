"""A checkpoint becomes a model of the hub, while its job runs or long after it ended."""

from typing import Any

from django.db import transaction

from contracts.fault import Fault
from contracts.job import FileRef
from contracts.method import METHODS
from whetstone.accounts.models import User
from whetstone.artifacts.store import missing
from whetstone.jobs.checkpoints import Checkpoint, find_checkpoint
from whetstone.jobs.finish import read_config
from whetstone.jobs.models import Job, KeptCheckpoint
from whetstone.modelhub.begin import require_name
from whetstone.modelhub.models import Model
from whetstone.modelhub.parts import of_checkpoint


def keep_checkpoint(user: User, job: Job, step: int, name: str = "") -> Model:
    """The model of a checkpoint: its weights, config and tokenizer, without the state of the training.

    Asked for twice it is the same model, under its first name. It stays when housekeeping forgets the checkpoint.

    Raises:
        Fault: checkpoint.not_found; checkpoint.is_adapter, over weights that only the job had; artifact.lost;
            import.no_name or import.name_taken.
    """
    if name:
        require_name(job.team, name)
    found = find_checkpoint(job, step)
    if found.model is not None:
        return found.model
    if found.is_adapter and not has_base(job):
        raise Fault("checkpoint.is_adapter", field="step", step=step)
    files = of_checkpoint(found.files)
    return _keep(user, job, step, files, read_config(job.team, files), name)


@transaction.atomic
def _keep(user: User, job: Job, step: int, files: list[FileRef], config: dict[str, Any] | None, name: str) -> Model:
    job = Job.objects.select_for_update(of=("self",)).select_related("team", "base", "trained").get(id=job.id)
    if kept := KeptCheckpoint.objects.filter(job=job, step=step).select_related("model").first():
        return kept.model
    if not job.events.filter(type="checkpoint", step=step).exists():  # housekeeping was faster
        raise Fault("checkpoint.not_found", field="step", step=step)
    if lost := missing(job.team, files):
        raise Fault("artifact.lost", path=lost[0].path)
    model = _model(job, step, files, config)
    model.created_by, model.name = user, name or model.name
    model.save(force_insert=True)
    KeptCheckpoint.objects.create(job=job, step=step, model=model)
    return model


def model_of(job: Job, found: Checkpoint) -> Model:
    """What the checkpoint would be as a model, not stored. Raises Fault checkpoint.is_adapter."""
    if found.model is not None:
        return found.model
    if found.is_adapter and not has_base(job):
        raise Fault("checkpoint.is_adapter", field="model", step=found.step)
    return _model(job, found.step, of_checkpoint(found.files), None)


def has_base(job: Job) -> bool:
    """Whether an adapter of the job can be a model: it lies over its base, whose weights have to be in the hub."""
    return job.base.has_weights and not job.base.is_adapter


def _model(job: Job, step: int, files: list[FileRef], config: dict[str, Any] | None) -> Model:
    alike = job.trained or job.base  # a reward model has another head than its base
    return Model(
        team=job.team,
        name=job.checkpoint_name(step),
        origin=Model.Origin.TRAINED,
        task=METHODS[job.method].makes,
        files=[file.model_dump(mode="json") for file in files],
        config=config or job.base.config,
        parameters=alike.parameters,
        context_length=job.base.context_length,
        license=job.base.license,
        base=job.base,
    )
