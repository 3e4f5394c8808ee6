"""Where a model comes from: the job that made it, and what is worth knowing of that job outside this platform."""

from dataclasses import dataclass

from whetstone.accounts.scope import owned
from whetstone.jobs.headline import headline_of
from whetstone.jobs.models import Job, KeptCheckpoint
from whetstone.modelhub.models import Model

WITH = ("base", "training__dataset", "validation__dataset", "evaluator__evaluator", "team")


@dataclass(frozen=True)
class Origin:
    """The training that made a model, and the step it is of."""

    job: Job
    step: int


def origin_of(model: Model) -> Origin | None:
    """Of a merged model, its adapter's: merging teaches nothing. None for a model that no training made."""
    jobs = owned(Job, model.team).select_related(*WITH)
    if job := jobs.filter(trained=model).first():
        return origin_of(job.base) if job.kind == Job.Kind.MERGE else Origin(job, job.step)
    kept = KeptCheckpoint.objects.filter(model=model).first()
    return Origin(jobs.get(id=kept.job_id), kept.step) if kept else None


def facts_of(model: Model) -> dict[str, str]:
    """What an exported model says of itself, in English: it leaves the platform."""
    origin = origin_of(model)
    facts = {"Base model": model.base.name} if model.base else {}
    facts |= facts_of_job(origin.job, origin.step) if origin else {}
    facts |= {"Parameters": str(model.parameters)} if model.parameters else {}
    return facts | ({"Licence": model.license} if model.license else {})


def facts_of_job(job: Job, step: int) -> dict[str, str]:
    """The same of what a job made, up to a step."""
    facts = {
        "Base model": _base(job),
        "Job": f"{job.label} ({job.id})",
        "Method": job.method,
        "Training data": f"{job.training} ({job.training_id})",
        "Held-out data": f"{job.validation} ({job.validation_id})" if job.validation else "",
        "Evaluator": str(job.evaluator or ""),
        "Seed": str(job.seed),
        "Step": f"{step} of {job.total_steps}",
        "Held-out result": _result(job, step),
    }
    return {name: value for name, value in facts.items() if value}


def _base(job: Job) -> str:
    return job.base.name if job.base.has_weights else f"{job.base.name}, whose weights were drawn under the seed"


def _result(job: Job, step: int) -> str:
    told = job.events.filter(type="evaluation", step__in=(0, step)).order_by("step").values_list("step", "data")
    values = {at: data["values"] for at, data in told}
    headline = headline_of(job.method, values.values())
    if headline is None or headline.key not in values.get(step, {}):
        return ""
    after = f"{headline.key} {values[step][headline.key]:.4g}"
    before = values.get(0, {}).get(headline.key)
    return after if before is None else f"{after}, {before:.4g} before training"
