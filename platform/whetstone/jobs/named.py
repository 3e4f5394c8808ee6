"""Checkpoints by the names that OpenAI's API gives them: `ft:base:team:suffix:id:ckpt-step-4`."""

from whetstone.accounts.models import Team
from whetstone.jobs.checkpoints import Checkpoint, checkpoints_of
from whetstone.jobs.kinds import trainings
from whetstone.jobs.models import Job

MARK = ":ckpt-step-"


def find_named(team: Team, name: str) -> tuple[Job, Checkpoint] | None:
    """The job and its checkpoint, when the team has one of this name that is whole."""
    model, mark, step = name.rpartition(MARK)
    if not mark or not (step.isascii() and step.isdecimal()) or len(step) > 9:
        return None
    jobs = trainings(team).select_related("team", "base", "trained").filter(id__endswith=model.rpartition(":")[2])
    for job in jobs:
        if job.model_name == model:
            rows = [one for one in checkpoints_of(job) if one.step == int(step) and not one.is_damaged]
            return (job, rows[0]) if rows else None
    return None
