"""The source that a name means: `dataset:sums@2`, `job:ftjob-…`, `evaluations:A,B`, or `labels` for those of others."""

from contracts.fault import Fault
from whetstone.accounts.models import Team
from whetstone.accounts.scope import owned
from whetstone.datasets.find import find_version
from whetstone.evaluations.find import find_finished
from whetstone.jobs.models import Job
from whetstone.labels.queue.evaluated import Evaluated
from whetstone.labels.queue.pair import Source
from whetstone.labels.queue.prompts import Prompts
from whetstone.labels.queue.rollouts import Rollouts
from whetstone.labels.queue.votes import Votes


def find_source(team: Team, name: str, dataset: str) -> Source:
    """`dataset`: what the labels go into.

    Raises:
        Fault: dataset.not_found, dataset.not_mapped, job.not_found, request.invalid, and what find_finished raises.
    """
    kind, _colon, what = name.partition(":")
    if kind == "labels":
        return Votes(team, dataset)
    if kind == "dataset":
        return Prompts(find_version(team, what, param="source"))
    if kind == "job":
        jobs = owned(Job, team).select_related("team", "training__blob", "training__dataset")
        if (job := jobs.filter(id=what).first()) is None:
            raise Fault("job.not_found", field="source", job=what)
        return Rollouts(job)
    if kind == "evaluations":
        one, _comma, other = what.partition(",")
        return Evaluated(find_finished(team, one, "source"), find_finished(team, other, "source"))
    detail = "Pairs come from dataset:NAME, job:ID, evaluations:ID,ID or labels."
    raise Fault("request.invalid", field="source", detail=detail)
