"""Pools: which kinds of machine there are."""

from django.db.models import Count, Q

from contracts.event import Hello
from contracts.fault import Fault
from whetstone import clock
from whetstone.workers.models import SILENT_AFTER, Worker

FALLBACK = "cpu"


def welcome(hello: Hello) -> None:
    """Remember what a worker said of itself, and that it is alive."""
    Worker.objects.update_or_create(
        name=hello.worker,
        defaults={
            "pool": hello.pool,
            "machine": hello.machine.model_dump(mode="json"),
            "free_memory_gb": hello.free_memory_gb,
            "seen_at": clock.now(),
        },
    )


def alive() -> list[Worker]:
    return list(Worker.objects.filter(seen_at__gt=clock.now() - SILENT_AFTER))


def pools() -> list[str]:
    """Names of all pools that a worker ever joined. Before the first of them there is the fallback."""
    return sorted(set(Worker.objects.values_list("pool", flat=True))) or [FALLBACK]


def choose(asked: str) -> str:
    """The pool a job goes to. “auto” is the pool with most workers alive.

    Raises:
        Fault: pool.not_found, when no worker ever joined a pool of that name.
    """
    heard = Count("id", filter=Q(seen_at__gt=clock.now() - SILENT_AFTER))
    found = Worker.objects.order_by().values_list("pool").annotate(heard=heard)
    living: dict[str, int] = dict(sorted(found)) or {FALLBACK: 0}
    if asked == "auto":
        return max(living, key=living.__getitem__)
    if asked not in living:
        raise Fault("pool.not_found", field="resources.pool", pool=asked, pools=", ".join(living))
    return asked
