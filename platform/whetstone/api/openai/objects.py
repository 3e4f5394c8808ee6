"""Our nouns as OpenAI's objects."""

from typing import Any

from whetstone.api.errors import fault_json
from whetstone.datasets.models import DatasetVersion
from whetstone.jobs.models import Event, Job
from whetstone.modelhub.models import Model


def file_json(version: DatasetVersion) -> dict[str, Any]:
    return {
        "id": version.id,
        "object": "file",
        "bytes": version.blob.size,
        "created_at": int(version.created_at.timestamp()),
        "filename": version.filename,
        "purpose": version.purpose,
        "status": "processed",
        "dataset": str(version),
        "shape": version.shape or None,
        "rows": version.rows,
    }


def model_json(model: Model) -> dict[str, Any]:
    return {
        "id": model.name,
        "object": "model",
        "created": int(model.created_at.timestamp()),
        "owned_by": model.team.slug,
        "parameters": model.parameters,
    }


def job_json(job: Job) -> dict[str, Any]:
    """`fine_tuning.job`, with our extras behind OpenAI's fields."""
    fault = job.fault_report
    return {
        "object": "fine_tuning.job",
        "id": job.id,
        "created_at": int(job.created_at.timestamp()),
        "finished_at": int(job.finished_at.timestamp()) if job.finished_at else None,
        "model": job.base.name,
        "fine_tuned_model": job.trained.name if job.trained else None,
        "organization_id": job.team.slug,
        "status": job.status,
        "training_file": job.training_id,
        "validation_file": job.validation_id,
        "result_files": [],
        "trained_tokens": job.trained_tokens,
        "error": fault_json(fault) if fault else None,
        "seed": job.seed,
        "estimated_finish": None,
        "integrations": [],
        "method": job.draft.get("method"),
        "metadata": job.metadata,
        "user_provided_suffix": job.suffix or None,
        "resolved_method": job.spec["method"],
        "evaluator": job.spec["evaluator"],
        "step": job.step,
        "total_steps": job.total_steps,
        "attempt": job.attempt,
        "phase": job.phase or None,
        "reason": job.reason or None,
        "pool": job.pool,
    }


LEVELS = {"failed": "error"}


def event_json(event: Event) -> dict[str, Any]:
    """`fine_tuning.job.event`."""
    is_metrics = event.type in ("metrics", "evaluation")
    return {
        "object": "fine_tuning.job.event",
        "id": f"ftevent-{event.job_id.removeprefix('ftjob-')}-{event.number}",
        "created_at": int(event.at.timestamp()),
        "level": LEVELS.get(event.type, "info"),
        "message": sentence(event),
        "type": "metrics" if is_metrics else "message",
        "data": ({"step": event.step} if event.step is not None else {}) | event.data,
    }


def sentence(event: Event) -> str:
    """What an event says, for a person who reads a log."""
    data = event.data
    match event.type:
        case "status":
            return f"The job is {data['to']}." + (f" {data['reason']}" if data["reason"] else "")
        case "attempt":
            return f"Attempt {data['number']} on {data['worker']}, from step {data['from_step']}."
        case "metrics":
            values = data["values"]
            shown = {key: values[key] for key in ("reward", "loss") if key in values}
            return f"Step {event.step}: " + ", ".join(f"{key}={value:.4g}" for key, value in shown.items())
        case "evaluation":
            return f"Held-out data at step {event.step}: " + ", ".join(
                f"{key}={value:.4g}" for key, value in data["values"].items()
            )
        case "checkpoint":
            return f"Checkpoint at step {event.step}."
        case "log":
            return str(data["text"]).strip()
        case "finished":
            return "The model is saved."
        case _:
            return event.type
