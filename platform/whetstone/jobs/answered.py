"""How far an evaluation has come: where its next attempt goes on."""

from itertools import count, takewhile

from contracts.event import ResumePoint
from contracts.job import FileRef
from whetstone.artifacts.store import missing
from whetstone.jobs.models import Job


def last_answered(job: Job) -> ResumePoint | None:
    """The last step up to which every answer is scored and stored. None: it begins anew."""
    scored = {step: data["answers"] for step, data in job.events.filter(type="scores").values_list("step", "data")}
    stored = _stored(job)
    whole = takewhile(lambda step: step in scored and (step in stored or not scored[step]), count(1))
    last = max(whole, default=0)
    return ResumePoint(step=last, files=()) if last else None


def _stored(job: Job) -> set[int]:
    """Steps whose answers are in a part that the store holds."""
    parts = list(job.events.filter(type="rollouts").values_list("step", "data"))
    files = {FileRef.model_validate(data["file"]) for _, data in parts}
    lost = {file.sha256 for file in missing(job.team, files)}
    whole = [(data["first_step"], last or 0) for last, data in parts if data["file"]["sha256"] not in lost]
    return {step for first, last in whole for step in range(first, last + 1)}
