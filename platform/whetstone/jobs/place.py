"""Which pool a job goes to, and whether it fits there."""

from dataclasses import dataclass

from contracts.estimate import GB, Fit, Workload, fit_of, least, smaller
from contracts.fault import Fault, FaultReport
from contracts.method import CanonicalMethod
from whetstone.jobs.measured import NONE, Correction, corrections
from whetstone.workers.pools import Pool, busiest, named, standing


@dataclass(frozen=True)
class Place:
    pool: Pool
    expected: float | None = None
    """Bytes that a machine of the pool needs by the estimate alone. None where nobody can say."""
    correction: Correction = NONE
    """What past jobs make of it."""
    fit: Fit | None = None
    warning: FaultReport | None = None

    @property
    def memory_gb(self) -> float | None:
        return None if self.expected is None else round(self.expected * self.correction.factor / GB, 1)


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
        return places_in([pool], method, load)[0]
    places = places_in(sorted((one for one in known if one.alive), key=lambda one: one.order), method, load)
    for wanted in ("fits", "tight"):
        if found := next((one for one in places if one.fit == wanted), None):
            return found
    if places:
        return max(places, key=lambda one: one.pool.memory or 0.0)
    return places_in([busiest(known)], method, load)[0]


def places_in(pools: list[Pool], method: CanonicalMethod, load: Workload) -> list[Place]:
    """How a resolved method fits into each of them."""
    past = corrections([pool.name for pool in pools], method.type)
    return [_place(pool, method, load, past.get(pool.name, NONE)) for pool in pools]


def _place(pool: Pool, method: CanonicalMethod, load: Workload, correction: Correction) -> Place:
    automatic = method.hyperparameters.precision == "auto"
    load = load.model_copy(update={"bf16": pool.has_gpus}) if automatic else load
    if pool.memory is None:
        return Place(pool, least(method, load, float("inf")).peak, correction)
    expected = least(method, load, pool.memory).peak
    peak = expected * correction.factor
    fit = fit_of(peak, pool.memory)
    warning = _too_big(pool, peak, smaller(method, load, pool.memory)) if fit == "too_big" else None
    return Place(pool, expected, correction, fit, warning)


def _too_big(pool: Pool, needed: float, setting: str) -> FaultReport:
    there = round((pool.memory or 0.0) / GB, 1)
    params = {"pool": pool.name, "needed": round(needed / GB, 1), "there": there, "smaller": setting}
    return Fault("job.too_big", field="resources.pool", **params).report  # type: ignore[arg-type]  # none is called so
