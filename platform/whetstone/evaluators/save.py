"""Saving an evaluator: always a new version, never a changed one."""

import hashlib

import orjson
from django.db import transaction

from contracts.fault import Fault
from graders.schema import Grader
from whetstone.accounts.models import Team, User
from whetstone.evaluators.models import Evaluator, EvaluatorVersion

LARGEST = 1_000_000
"""Bytes of a grader's JSON."""


@transaction.atomic
def save_evaluator(
    user: User, team: Team, name: str, grader: Grader, note: str = "", base: int | None = None
) -> EvaluatorVersion:
    """The grader as the newest version under this name. Saving what the newest version already is changes nothing.

    `base`: the number of the version that it was made from, 0 for a name that is to be new. None: whatever the newest
    version is, this one comes next.

    Raises:
        Fault: evaluator.changed_meanwhile, when the newest version is another one than `base`; evaluator.too_large.
    """
    document = grader.model_dump(mode="json", exclude_none=True)
    content = orjson.dumps(document)
    if len(content) > LARGEST:
        size_kb = -(-len(content) // 1000)
        raise Fault("evaluator.too_large", field="grader", size_kb=size_kb, most_kb=LARGEST // 1000)
    sha256 = hashlib.sha256(content).hexdigest()
    evaluator, _ = Evaluator.objects.select_for_update().get_or_create(team=team, name=name)
    newest = evaluator.versions.select_related("created_by").order_by("-number").first()
    if newest is not None and newest.sha256 == sha256:
        return newest
    if base is not None and newest is not None and newest.number != base:
        raise _changed_meanwhile(newest)
    evaluator.last_number += 1
    evaluator.save(update_fields=["last_number"])
    return EvaluatorVersion.objects.create(
        team=team,
        evaluator=evaluator,
        number=evaluator.last_number,
        document=document,
        sha256=sha256,
        note=note,
        created_by=user,
    )


def _changed_meanwhile(newest: EvaluatorVersion) -> Fault:
    return Fault(
        "evaluator.changed_meanwhile",
        field="base",
        newest=str(newest),
        number=newest.number,
        author=newest.created_by.get_username(),
        at=f"{newest.created_at:%Y-%m-%d %H:%M} UTC",
    )
