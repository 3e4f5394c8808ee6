"""Deleting an evaluator, or one version of it, as long as no job was graded with it."""

from django.db import IntegrityError, transaction
from django.db.models import ProtectedError

from contracts.fault import Fault
from whetstone.evaluators.models import Evaluator, EvaluatorVersion

NAMED = 5
"""Jobs in a sentence."""


def delete_evaluator(evaluator: Evaluator) -> None:
    """With all its versions. Raises Fault evaluator.in_use."""
    _delete(evaluator.pk, None)


def delete_evaluator_version(version: EvaluatorVersion) -> None:
    """With the last one the evaluator. Raises Fault evaluator.in_use."""
    _delete(version.evaluator_id, version.pk)


def _delete(evaluator_id: int, version_id: int | None) -> None:
    try:
        with transaction.atomic():
            evaluator = Evaluator.objects.select_for_update().filter(pk=evaluator_id).first()
            if evaluator is None:
                return
            if version_id is not None:
                evaluator.versions.filter(pk=version_id).delete()
            if version_id is None or not evaluator.versions.exists():
                evaluator.delete()
    except ProtectedError as error:
        jobs = ", ".join(sorted(str(job.pk) for job in error.protected_objects)[:NAMED])
        raise Fault("evaluator.in_use", field="ref", jobs=jobs) from None
    except IntegrityError:  # a job began with it in this moment
        raise Fault("evaluator.in_use", field="ref", jobs="–") from None
