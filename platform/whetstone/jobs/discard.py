"""Deleting a model, as long as no job refers to it."""

from django.db import IntegrityError, transaction
from django.db.models import ProtectedError

from contracts.fault import Fault
from contracts.job import ENDED
from whetstone import clock
from whetstone.accounts.models import User
from whetstone.jobs.merge import merges_of
from whetstone.jobs.models import Job, JobScorer
from whetstone.jobs.states import append
from whetstone.modelhub.models import Model

NAMED = 5
"""Jobs in a sentence."""


def delete_model(user: User, model: Model) -> None:
    """The job that made it says so. Its files go with the next housekeeping.

    Raises:
        Fault: model.in_use, or model.has_adapters: an adapter is nothing without its base.
    """
    if adapters := [child.name for child in model.children.all() if child.is_adapter]:
        raise Fault("model.has_adapters", field="model", model=model.name, adapters=", ".join(adapters[:NAMED]))
    try:
        with transaction.atomic():
            merges_of(model).filter(status__in=ENDED).delete()  # they say nothing that the merged model does not
            for job in Job.objects.select_for_update(of=("self",)).filter(trained=model):
                job.trained_deleted_at = clock.now()
                job.save(update_fields=["trained_deleted_at"])
                append(job, "log", {"text": f"{user.get_username()} deleted the model {model.name}."})
            model.delete()
    except ProtectedError as error:
        using = {one.job_id if isinstance(one, JobScorer) else str(one.pk) for one in error.protected_objects}
        raise Fault("model.in_use", field="model", model=model.name, jobs=", ".join(sorted(using)[:NAMED])) from None
    except IntegrityError:  # a job began with it in this moment
        raise Fault("model.in_use", field="model", model=model.name, jobs="–") from None
