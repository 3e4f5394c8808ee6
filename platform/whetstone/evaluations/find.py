"""Finding evaluations, and those that can be compared."""

from django.db.models import QuerySet

from contracts.fault import Fault
from whetstone.accounts.models import Team
from whetstone.evaluations.models import Evaluation
from whetstone.jobs.models import Job

WITH = (
    "job__team", "job__base", "job__validation__dataset", "job__validation__blob", "job__evaluator__evaluator",
    "job__created_by",
)  # fmt: skip


def evaluations(team: Team) -> QuerySet[Evaluation]:
    """Newest first."""
    return Evaluation.objects.filter(job__team=team).select_related(*WITH)


def find_evaluation(team: Team, evaluation_id: str, param: str = "evaluation_id") -> Evaluation:
    """Raises Fault evaluation.not_found."""
    found = evaluations(team).filter(job_id=evaluation_id).first()
    if found is None:
        raise Fault("evaluation.not_found", field=param, evaluation=evaluation_id)
    return found


def find_finished(team: Team, evaluation_id: str, param: str) -> Evaluation:
    """Raises Fault evaluation.not_found or evaluation.not_finished."""
    found = find_evaluation(team, evaluation_id, param)
    if found.job.status != Job.Status.SUCCEEDED:
        raise Fault("evaluation.not_finished", field=param, evaluation=evaluation_id, status=found.job.status)
    return found


def comparable(evaluation: Evaluation) -> QuerySet[Evaluation]:
    """Others of the same rows by the same evaluator that have come to their end."""
    alike = evaluations(evaluation.job.team).filter(subject=evaluation.subject, job__status=Job.Status.SUCCEEDED)
    return alike.exclude(job_id=evaluation.job_id)
