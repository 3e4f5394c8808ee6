"""An adapter of the hub becomes a whole model. A worker does it, as a job: it has torch, and the platform has not."""

from django.db import transaction
from django.db.models import QuerySet

from contracts.fault import Fault
from contracts.job import ENDED
from contracts.merging import MergeSpec
from whetstone.accounts.ids import new_id
from whetstone.accounts.models import Team, User
from whetstone.accounts.scope import owned
from whetstone.jobs.launch import begin
from whetstone.jobs.models import Job
from whetstone.modelhub.begin import require_free, require_name
from whetstone.modelhub.models import Model
from whetstone.workers.pools import busiest, named, standing


@transaction.atomic
def merge(user: User, adapter: Model, name: str = "", pool: str = "auto") -> Job:
    """A queued job that merges it. `name`: of the model that comes of it, else the adapter's and “-merged”.

    Asked for again while it waits or runs, it is the same job.

    Raises:
        Fault: adapter.is_whole, import.no_name, import.name_taken, pool.not_found.
    """
    if not adapter.is_adapter:
        raise Fault("adapter.is_whole", field="name", model=adapter.name)
    wanted = name or f"{adapter.name[:240]}-merged"
    Model.objects.select_for_update(of=("self",)).get(pk=adapter.pk)  # two who ask at once get one job
    if under_way := merges_of(adapter).exclude(status__in=ENDED).filter(draft__name=wanted).first():
        return under_way
    if name:
        require_name(adapter.team, name)
    else:  # a kept checkpoint's name has colons, which no person may give
        require_free(adapter.team, wanted)
    known = standing()
    spec = MergeSpec(job=new_id("merge"), model=adapter.ref())
    job = Job(
        id=spec.job,
        kind=Job.Kind.MERGE,
        team=adapter.team,
        created_by=user,
        draft={"model": adapter.name, "name": wanted},
        spec=spec.model_dump(mode="json"),
        base=adapter,
        pool=(busiest(known) if pool == "auto" else named(pool, known)).name,
        seed=spec.seed,
        total_steps=spec.total_steps,
    )
    begin(job, ())
    return job


def merges_of(adapter: Model) -> QuerySet[Job]:
    """Newest first."""
    return owned(Job, adapter.team).filter(kind=Job.Kind.MERGE, base=adapter)


def find_merge(team: Team, job_id: str) -> Job:
    """Raises Fault job.not_found."""
    found = owned(Job, team).filter(kind=Job.Kind.MERGE, id=job_id).select_related("base", "trained", "team").first()
    if found is None:
        raise Fault("job.not_found", field="job_id", job=job_id)
    return found
