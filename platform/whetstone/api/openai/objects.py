"""Our nouns as OpenAI's objects."""

from contracts.method import METHODS
from whetstone.api.errors import fault_json
from whetstone.api.openai.masking import masked
from whetstone.api.openai.schema import (
    CheckpointJson,
    FileJson,
    JobJson,
    OpenAIModelJson,
    PermissionJson,
    SupervisedJson,
    UploadJson,
    UploadPartJson,
)
from whetstone.datasets.expire import overdue
from whetstone.datasets.models import DatasetVersion, Upload, UploadPart
from whetstone.datasets.uploads import status_of
from whetstone.deployments.models import Deployment
from whetstone.jobs.checkpoints import Checkpoint
from whetstone.jobs.models import CheckpointPermission, Job, ResultFile
from whetstone.jobs.progress import estimated_finish
from whetstone.jobs.results import FILENAME, PURPOSE, result_file_of
from whetstone.modelhub.models import Model


def file_json(version: DatasetVersion) -> FileJson:
    return {
        "id": version.id,
        "object": "file",
        "bytes": version.blob.size,
        "created_at": int(version.created_at.timestamp()),
        "filename": version.filename,
        "purpose": version.purpose,
        "status": "processed",
        "expires_at": int(version.expires_at.timestamp()) if version.expires_at else None,
        "status_details": overdue(version),
        "dataset": str(version),
        "shape": version.shape or None,
        "rows": version.rows,
    }


def upload_json(upload: Upload) -> UploadJson:
    return {
        "id": upload.id,
        "object": "upload",
        "bytes": upload.bytes,
        "created_at": int(upload.created_at.timestamp()),
        "expires_at": int(upload.expires_at.timestamp()),
        "filename": upload.filename,
        "purpose": upload.purpose,
        "status": status_of(upload),
        "file": file_json(upload.file) if upload.file else None,
    }


def part_json(part: UploadPart) -> UploadPartJson:
    created_at = int(part.created_at.timestamp())
    return {"id": part.id, "object": "upload.part", "created_at": created_at, "upload_id": part.upload_id}


def result_json(result: ResultFile) -> FileJson:
    assert result.blob  # one that was deleted is not found
    return {
        "id": result.id,
        "object": "file",
        "bytes": result.blob.size,
        "created_at": int(result.created_at.timestamp()),
        "filename": FILENAME,
        "purpose": PURPOSE,
        "status": "processed",
        "job": result.job_id,
    }


def model_json(model: Model) -> OpenAIModelJson:
    return {
        "id": model.name,
        "object": "model",
        "created": int(model.created_at.timestamp()),
        "owned_by": model.team.slug,
        "parameters": model.parameters,
        "task": model.task,
    }


def deployment_model_json(one: Deployment) -> OpenAIModelJson:
    """What answers to a name of its own, as the model that it serves."""
    return {
        "id": one.name,
        "object": "model",
        "created": int(one.created_at.timestamp()),
        "owned_by": one.team.slug,
        "parameters": one.ref.parameters,
        "task": one.ref.task,
    }


def checkpoint_model_json(job: Job, found: Checkpoint) -> OpenAIModelJson:
    """A checkpoint that nobody has made a model of, as one: it can be looked at, and begun with."""
    return {
        "id": job.checkpoint_name(found.step),
        "object": "model",
        "created": int(found.at.timestamp()),
        "owned_by": job.team.slug,
        "parameters": (job.trained or job.base).parameters,
        "task": METHODS[job.method].makes,
        "job": job.id,
        "step": found.step,
    }


def permission_json(permission: CheckpointPermission) -> PermissionJson:
    return {
        "id": permission.id,
        "object": "checkpoint.permission",
        "created_at": int(permission.created_at.timestamp()),
        "project_id": permission.project.slug,
    }


def job_json(job: Job) -> JobJson:
    """`fine_tuning.job`, with our extras behind OpenAI's fields."""
    draft, fault = job.job_draft, job.fault_report
    return {
        "object": "fine_tuning.job",
        "id": job.id,
        "created_at": int(job.created_at.timestamp()),
        "finished_at": int(job.finished_at.timestamp()) if job.finished_at else None,
        "model": job.base.name,
        "fine_tuned_model": job.trained.name if job.trained else None,
        "organization_id": job.team.slug,
        "status": job.status,
        "training_file": job.training_id or "",
        "validation_file": job.validation_id,
        "result_files": [results.id] if (results := result_file_of(job)) else [],
        "trained_tokens": job.trained_tokens,
        "error": fault_json(fault) if fault else None,
        "seed": job.seed,
        "estimated_finish": int(ends.timestamp()) if (ends := estimated_finish(job)) else None,
        "integrations": [one.model_dump(exclude_none=True) for one in draft.integrations or ()],
        "hyperparameters": _supervised(job),
        "method": masked(draft.method.model_dump(mode="json", exclude_none=True)),
        "metadata": job.metadata,
        "user_provided_suffix": job.suffix or None,
        "resolved_method": masked(job.spec["method"]),
        "evaluator": job.spec["evaluator"],
        "step": job.step,
        "total_steps": job.total_steps,
        "attempt": job.attempt,
        "phase": job.phase or None,
        "reason": job.reason or None,
        "wish": job.wish or None,
        "pool": job.pool,
    }


def _supervised(job: Job) -> SupervisedJson | None:
    """OpenAI's deprecated place for the numbers of a supervised job."""
    if job.method not in ("full", "lora"):
        return None
    numbers = job.spec["method"][job.method]["hyperparameters"]
    return {
        "n_epochs": numbers["n_epochs"],
        "batch_size": numbers["batch_size"],
        "learning_rate_multiplier": numbers["learning_rate_multiplier"],
    }


def checkpoint_json(job: Job, found: Checkpoint, trained: dict[str, float]) -> CheckpointJson:
    """`fine_tuning.job.checkpoint`. Its metrics stand under OpenAI's names, and under ours where there are none."""
    return {
        "object": "fine_tuning.job.checkpoint",
        "id": f"ftckpt_{job.id.removeprefix('ftjob-')}-{found.step}",
        "created_at": int(found.at.timestamp()),
        "fine_tuned_model_checkpoint": job.checkpoint_name(found.step),
        "step_number": found.step,
        "fine_tuning_job_id": job.id,
        "metrics": {"step": found.step} | trained | _openai_metrics(trained, found.held_out),
        "bytes": found.size,
        "is_best": found.is_best,
        "is_adapter": found.is_adapter,
        "is_damaged": found.is_damaged,
        "model": found.model.name if found.model else None,
    }


def _openai_metrics(trained: dict[str, float], held_out: dict[str, float]) -> dict[str, float]:
    """The held-out data is always evaluated in full: OpenAI's `valid_` and `full_valid_` are the same here."""
    as_theirs = {"token_accuracy": "mean_token_accuracy"}
    named = {as_theirs.get(key, key): value for key, value in held_out.items()}
    whole = ("loss", "mean_token_accuracy")
    return (
        {f"train_{key}": trained[key] for key in whole if key in trained}
        | {f"valid_{key}": value for key, value in named.items()}
        | {f"full_valid_{key}": named[key] for key in whole if key in named}
    )
