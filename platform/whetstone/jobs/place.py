"""Which pool a job goes to, and whether it fits there."""

from dataclasses import dataclass

from contracts.estimate import GB, Fit, Workload, fit_of, least, smaller
from contracts.fault import Fault, FaultReport
from contracts.method import CanonicalMethod
from whetstone.workers.pools import Pool, busiest, named, standing


@dataclass(frozen=True)
class Place:
    pool: Pool
    memory_gb: float | None = None
    """About what a machine of the pool needs to carry the job out. None where nobody can say."""
    fit: Fit | None = None
    warning: FaultReport | None = None


def place(asked: str, method: CanonicalMethod | None, load: Workload | None) -> Place:
    """“auto” is the smallest pool with a worker alive that the job fits into; else one where it is tight; else the
    largest. `load` is None for a model of which nobody can say what it needs.

    Raises:
        Fault: pool.not_found, when no worker ever joined a pool of that name.
    """
    known = standing()
    pool = named(asked, known) if asked != "auto" else None
    if method is None or load is None:
        return Place(pool or busiest(known))
    if pool is not None:
        return place_on(pool, method, load)
    places = [place_on(one, method, load) for one in sorted(known, key=lambda one: one.order) if one.memory is not None]
    for wanted in ("fits", "tight"):
        if found := next((one for one in places if one.fit == wanted), None):
            return found
    return max(places, key=lambda one: one.pool.memory or 0.0, default=place_on(busiest(known), method, load))


def place_on(pool: Pool, method: CanonicalMethod, load: Workload) -> Place:
    """How a resolved method fits into one pool."""
    automatic = method.hyperparameters.precision == "auto"
    load = load.model_copy(update={"bf16": pool.has_gpus}) if automatic else load
    if pool.memory is None:
        return Place(pool, least(method, load, float("inf")).peak_gb)
    memory = least(method, load, pool.memory)
    fit = fit_of(memory.peak, pool.memory)
    warning = _too_big(pool, memory.peak_gb, smaller(method, load, pool.memory)) if fit == "too_big" else None
    return Place(pool, memory.peak_gb, fit, warning)


def _too_big(pool: Pool, needed_gb: float, setting: str) -> FaultReport:
    there = round((pool.memory or 0.0) / GB, 1)
    params = {"pool": pool.name, "needed": needed_gb, "there": there, "smaller": setting}
    return Fault("job.too_big", field="resources.pool", **params).report  # type: ignore[arg-type]  # none is called so
