"""What would miss a model: shown before somebody deletes it."""

from dataclasses import dataclass

from django.db.models import Q

from graders import models_of
from whetstone.accounts.scope import owned
from whetstone.evaluators.models import EvaluatorVersion
from whetstone.jobs.models import Job
from whetstone.modelhub.models import Model

NAMED = 20


@dataclass(frozen=True)
class Dependents:
    """Jobs and adapters hold a model fast. Children and evaluators stay without it. Merges go with it."""

    jobs: list[Job]
    adapters: list[Model]
    children: list[Model]
    evaluators: list[EvaluatorVersion]

    @property
    def hold_fast(self) -> bool:
        return bool(self.jobs or self.adapters)


def dependents_of(model: Model) -> Dependents:
    jobs = owned(Job, model.team).filter(Q(base=model) | Q(scorers=model)).exclude(kind=Job.Kind.MERGE)
    children = list(model.children.defer("config")[:NAMED])
    return Dependents(
        jobs=list(jobs.distinct()[:NAMED]),
        adapters=[one for one in children if one.is_adapter],
        children=[one for one in children if not one.is_adapter],
        evaluators=_asking(model),
    )


def _asking(model: Model) -> list[EvaluatorVersion]:
    """Evaluators whose newest version asks it."""
    if model.task != Model.Task.REWARD:
        return []
    versions = owned(EvaluatorVersion, model.team).select_related("evaluator").order_by("-number")
    newest: dict[int, EvaluatorVersion] = {}
    for version in versions:
        newest.setdefault(version.evaluator_id, version)
    return [version for version in newest.values() if model.name in models_of(version.grader)]
