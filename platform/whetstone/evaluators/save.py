"""Saving an evaluator: always a new version, never a changed one."""

import hashlib

import orjson
from django.db import transaction

from graders.schema import Grader
from whetstone.accounts.models import Team, User
from whetstone.evaluators.models import Evaluator, EvaluatorVersion


@transaction.atomic
def save_evaluator(user: User, team: Team, name: str, grader: Grader, note: str = "") -> EvaluatorVersion:
    """The grader as the newest version under this name. Saving what the newest version already is changes nothing."""
    document = grader.model_dump(mode="json", exclude_none=True)
    sha256 = hashlib.sha256(orjson.dumps(document, option=orjson.OPT_SORT_KEYS)).hexdigest()
    evaluator, _ = Evaluator.objects.select_for_update().get_or_create(team=team, name=name)
    newest = evaluator.versions.order_by("-number").first()
    if newest is not None and newest.sha256 == sha256:
        return newest
    return EvaluatorVersion.objects.create(
        team=team,
        evaluator=evaluator,
        number=newest.number + 1 if newest else 1,
        document=document,
        sha256=sha256,
        note=note,
        created_by=user,
    )
