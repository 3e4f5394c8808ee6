"""Jobs of one kind: what trains and what evaluates share a table and a way, and no list."""

from django.db.models import QuerySet

from whetstone.accounts.models import Team
from whetstone.accounts.scope import owned
from whetstone.jobs.models import Job


def trainings(team: Team) -> QuerySet[Job]:
    return owned(Job, team).filter(kind=Job.Kind.TRAINING)


def evaluations(team: Team) -> QuerySet[Job]:
    return owned(Job, team).filter(kind=Job.Kind.EVALUATION)
