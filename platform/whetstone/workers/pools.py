"""Pools: which kinds of machine there are."""

from dataclasses import dataclass

from contracts.event import Hello
from contracts.fault import Fault
from contracts.resource import Machine
from whetstone import clock
from whetstone.lookup import Lookup
from whetstone.workers.models import SILENT_AFTER, Worker

FALLBACK = "cpu"
GIB = 1 << 30
WORKERS = Lookup(lambda: Worker.objects.only("pool", "machine", "seen_at").order_by())


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


@dataclass(frozen=True)
class Pool:
    name: str
    alive: int
    """Workers."""
    memory: float | None
    """Bytes, of the least of its machines that are alive: a GPU's where they have some."""
    has_gpus: bool
    machine: Machine | None = None
    """That one: what the others can do, too. None while none is alive."""

    @property
    def order(self) -> tuple[bool, float]:
        """The least comes first, and machines without a GPU last, which are slow."""
        return not self.has_gpus, self.memory or 0.0


def standing() -> list[Pool]:
    """Every pool as it is now."""
    heard: dict[str, list[Machine]] = {}
    since = clock.now() - SILENT_AFTER
    for worker in WORKERS.all():
        machines = heard.setdefault(worker.pool, [])
        if worker.seen_at > since:
            machines.append(worker.specs)
    return [_pool(name, machines) for name, machines in sorted(heard.items())] or [_pool(FALLBACK, [])]


def _pool(name: str, machines: list[Machine]) -> Pool:
    least = min(machines, key=_memory, default=None)
    memory = _memory(least) if least else None
    return Pool(name, len(machines), memory, any(machine.gpus for machine in machines), least)


def _memory(machine: Machine) -> float:
    return min((gpu.memory_gb for gpu in machine.gpus), default=machine.memory_gb) * GIB


def named(asked: str, known: list[Pool]) -> Pool:
    """Raises Fault pool.not_found."""
    found = next((pool for pool in known if pool.name == asked), None)
    if found is None:
        raise Fault("pool.not_found", field="resources.pool", pool=asked, pools=", ".join(one.name for one in known))
    return found


def busiest(known: list[Pool]) -> Pool:
    """The one with most workers alive: where nobody knows what a job needs."""
    return max(known, key=lambda pool: pool.alive)
