"""Finding an evaluator version: `math@3`, or `math` for the newest."""

from collections.abc import Iterable

from django.db.models import Count, OuterRef, QuerySet, Subquery

from contracts.fault import Fault
from whetstone.accounts.models import Team
from whetstone.accounts.scope import owned
from whetstone.evaluators.models import Evaluator, EvaluatorVersion


def find_evaluator(team: Team, ref: str, param: str = "evaluator") -> EvaluatorVersion:
    """Raises Fault evaluator.not_found."""
    name, at, number = ref.rpartition("@")
    versions = owned(EvaluatorVersion, team).select_related("evaluator", "created_by")
    if at and number.isdecimal() and len(number) < 10:
        version = versions.filter(evaluator__name=name, number=int(number)).first()
    else:
        version = versions.filter(evaluator__name=ref).order_by("-number").first()
    if version is None:
        raise Fault("evaluator.not_found", field=param, evaluator=ref)
    return version


def find_whole(team: Team, name: str, param: str = "name") -> Evaluator:
    """The evaluator with all its versions. Raises Fault evaluator.not_found."""
    found = owned(Evaluator, team).filter(name=name).first()
    if found is None:
        raise Fault("evaluator.not_found", field=param, evaluator=name)
    return found


def newest_versions(team: Team) -> QuerySet[EvaluatorVersion]:
    """One of each evaluator."""
    versions = owned(EvaluatorVersion, team)
    newest = versions.filter(evaluator=OuterRef("evaluator")).order_by("-number").values("id")[:1]
    return versions.filter(id=Subquery(newest)).select_related("evaluator", "created_by")


def jobs_by_version(versions: Iterable[EvaluatorVersion]) -> dict[int, int]:
    """How many jobs were graded with each version, by its id."""
    mine = EvaluatorVersion.objects.filter(id__in=[version.id for version in versions])
    return dict(mine.annotate(count=Count("jobs")).values_list("id", "count"))
