"""Finding an evaluator version: `math@3`, or `math` for the newest."""

from contracts.fault import Fault
from whetstone.accounts.models import Team
from whetstone.accounts.scope import owned
from whetstone.evaluators.models import EvaluatorVersion


def find_evaluator(team: Team, ref: str, param: str = "evaluator") -> EvaluatorVersion:
    """Raises Fault evaluator.not_found."""
    name, at, number = ref.rpartition("@")
    versions = owned(EvaluatorVersion, team).select_related("evaluator")
    if at and number.isdecimal() and len(number) < 10:
        version = versions.filter(evaluator__name=name, number=int(number)).first()
    else:
        version = versions.filter(evaluator__name=ref).order_by("-number").first()
    if version is None:
        raise Fault("evaluator.not_found", field=param, evaluator=ref)
    return version
