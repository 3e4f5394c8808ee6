"""Pools and the machines in them."""

from django.http import HttpRequest
from ninja import Router
from typing_extensions import TypedDict  # Pydantic reads no other before Python 3.12

from contracts.resource import Machine
from whetstone.accounts.scope import owned
from whetstone.api.answers import Everything, described
from whetstone.api.caller import caller
from whetstone.jobs.busy import busy_workers
from whetstone.jobs.models import Job
from whetstone.jobs.place import place
from whetstone.workers.models import Worker
from whetstone.workers.pools import pools

router = Router(tags=["workers"])
pools_router = Router(tags=["workers"])


@described
class WorkerJson(TypedDict):
    name: str
    pool: str
    is_alive: bool
    is_busy: bool
    job: str | None
    """What it works on, where that is the team's own."""
    machine: Machine
    free_memory_gb: float | None
    seen_at: int


@described
class PoolJson(TypedDict):
    name: str
    workers: int
    alive: int
    free: int
    is_auto: bool
    """Whether “auto” takes it now, for a job of which nobody can say what it needs."""


@router.get("")
def list_workers(request: HttpRequest) -> Everything[WorkerJson]:
    """Each with what it does: another team's job is counted as work, and never named."""
    busy = busy_workers()
    mine = set(owned(Job, caller(request).team).filter(id__in=busy.values()).values_list("id", flat=True))
    return {"data": [_worker(worker, busy.get(worker.pk), mine) for worker in Worker.objects.all()]}


def _worker(worker: Worker, job: str | None, mine: set[str]) -> WorkerJson:
    return {
        "name": worker.name,
        "pool": worker.pool,
        "is_alive": worker.is_alive,
        "is_busy": job is not None,
        "job": job if job in mine else None,
        "machine": worker.machine,
        "free_memory_gb": worker.free_memory_gb,
        "seen_at": int(worker.seen_at.timestamp()),
    }


@pools_router.get("")
def list_pools(request: HttpRequest) -> Everything[PoolJson]:
    """What `resources.pool` can name, and which of them “auto” takes now."""
    workers = list(Worker.objects.all())
    busy = busy_workers()
    auto = place("auto", None, None).pool.name
    return {"data": [_pool(name, [one for one in workers if one.pool == name], busy, auto) for name in pools()]}


def _pool(name: str, workers: list[Worker], busy: dict[int, str], auto: str) -> PoolJson:
    alive = [worker for worker in workers if worker.is_alive]
    return {
        "name": name,
        "workers": len(workers),
        "alive": len(alive),
        "free": sum(worker.pk not in busy for worker in alive),
        "is_auto": name == auto,
    }
