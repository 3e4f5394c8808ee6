"""Which pool a job goes to, and whether it fits there."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from contracts.estimate import GB, Fit, Workload, answering, fit_of, least, smaller
from contracts.evaluation import Answering
from contracts.fault import Fault, FaultReport
from contracts.method import CanonicalMethod
from whetstone.jobs.measured import NONE, Correction, corrections
from whetstone.workers.pools import Pool, busiest, named, standing

Measure = Callable[[list[Pool]], list["Place"]]
"""How something fits into each of these pools."""


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
    if method is None or load is None:
        return _chosen(asked, None)
    return _chosen(asked, partial(places_in, method=method, load=load))


def place_evaluation(asked: str, how: Answering, load: Workload | None) -> Place:
    """The same for an evaluation. `load.tokens`: of the longest prompt."""
    return _chosen(asked, None if load is None else partial(_answering_in, how=how, load=load))


def _chosen(asked: str, measure: Measure | None) -> Place:
    known = standing()
    pool = named(asked, known) if asked != "auto" else None
    if measure is None:
        return Place(pool or busiest(known))
    if pool is not None:
        return measure([pool])[0]
    places = measure(sorted((one for one in known if one.alive), key=lambda one: one.order))
    for wanted in ("fits", "tight"):
        if found := next((one for one in places if one.fit == wanted), None):
            return found
    if places:
        return max(places, key=lambda one: one.pool.memory or 0.0)
    return measure([busiest(known)])[0]


def places_in(pools: list[Pool], method: CanonicalMethod, load: Workload) -> list[Place]:
    """How a resolved method fits into each of them."""
    past = corrections([pool.name for pool in pools], method.type)
    return [_place(pool, method, load, past.get(pool.name, NONE)) for pool in pools]


def _answering_in(pools: list[Pool], how: Answering, load: Workload) -> list[Place]:
    past = corrections([pool.name for pool in pools], "")
    return [_place_answering(pool, how, load, past.get(pool.name, NONE)) for pool in pools]


def _place_answering(pool: Pool, how: Answering, load: Workload, correction: Correction) -> Place:
    bf16 = pool.has_gpus if how.precision == "auto" else how.precision == "bf16"
    expected = answering(how, load.model_copy(update={"bf16": bf16})).peak
    if pool.memory is None:
        return Place(pool, expected, correction)
    peak = expected * correction.factor
    fit = fit_of(peak, pool.memory)
    warning = _too_big(pool, peak, f"batch_size {max(1, how.batch_size // 4)}") if fit == "too_big" else None
    return Place(pool, expected, correction, fit, warning)


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
