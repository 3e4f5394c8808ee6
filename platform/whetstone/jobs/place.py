"""Which pool a job goes to, whether it fits there, and how long it takes."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

from django.conf import settings

from contracts.estimate import (
    GB,
    Fit,
    Work,
    Workload,
    answering,
    answering_s,
    duration_of,
    fit_of,
    least,
    needs_checkpointing,
    smaller,
    speed_of,
)
from contracts.evaluation import Answering
from contracts.fault import Fault, FaultReport
from contracts.method import CanonicalMethod
from whetstone.jobs.measured import NOTHING, Correction, Measured, measured
from whetstone.workers.pools import Pool, busiest, named, standing

HOUR_S = 3600
Measure = Callable[[list[Pool]], list["Place"]]
"""How something fits into each of these pools."""


@dataclass(frozen=True)
class Place:
    pool: Pool
    expected: float | None = None
    """Bytes that a machine of the pool needs by the estimate alone. None where nobody can say."""
    expected_s: float | None = None
    """Seconds of work by the estimate alone."""
    past: Measured = NOTHING
    """What past jobs make of both."""
    fit: Fit | None = None
    warning: FaultReport | None = None

    @property
    def correction(self) -> Correction:
        """Of the memory."""
        return self.past.memory

    @property
    def memory(self) -> float | None:
        return None if self.expected is None else self.expected * self.past.memory.factor

    @property
    def memory_gb(self) -> float | None:
        return None if self.memory is None else round(self.memory / GB, 1)

    @property
    def seconds(self) -> float | None:
        return None if self.expected_s is None else self.expected_s * self.past.time.factor

    @property
    def seconds_range(self) -> tuple[float, float] | None:
        """Between what it will take, as far as past jobs tell."""
        if self.expected_s is None:
            return None
        return self.expected_s * self.past.time.low, self.expected_s * self.past.time.high

    @property
    def price(self) -> float | None:
        """Of an hour of one of its machines. None where the operator has set none."""
        return price_of(self.pool.name)

    @property
    def cost_range(self) -> tuple[float, float] | None:
        if self.price is None or self.seconds_range is None:
            return None
        low, high = self.seconds_range
        return low / HOUR_S * self.price, high / HOUR_S * self.price


class Asking(NamedTuple):
    """An evaluation as far as its place is concerned."""

    load: Workload
    """Its `tokens` are those of the longest prompt."""
    prompt_tokens: int
    """Of the prompt in the middle."""
    base: int | None
    """The model that answers."""


def price_of(pool: str) -> float | None:
    prices: dict[str, float] = settings.ENVIRONMENT.pool_prices
    return prices.get(pool)


def place(asked: str, method: CanonicalMethod | None, work: Work | None, base: int | None = None) -> Place:
    """“auto” is the smallest pool with a worker alive that the job fits into; else one where it is tight; else the
    largest. `work` is None for a model of which nobody can say what it needs; `base`: the model to start from.

    Raises:
        Fault: pool.not_found, when no worker ever joined a pool of that name.
    """
    if method is None or work is None:
        return _chosen(asked, None)
    return _chosen(asked, partial(places_in, method=method, work=work, base=base))


def place_evaluation(asked: str, how: Answering, asking: Asking | None) -> Place:
    """The same for an evaluation."""
    return _chosen(asked, None if asking is None else partial(_answering_in, how=how, asking=asking))


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


def places_in(pools: list[Pool], method: CanonicalMethod, work: Work, base: int | None = None) -> list[Place]:
    """How a resolved method fits into each of them."""
    past = measured([pool.name for pool in pools], method.type, base)
    return [_place(pool, method, work, past.get(pool.name, NOTHING)) for pool in pools]


def _answering_in(pools: list[Pool], how: Answering, asking: Asking) -> list[Place]:
    past = measured([pool.name for pool in pools], "", asking.base)
    return [_place_answering(pool, how, asking, past.get(pool.name, NOTHING)) for pool in pools]


def _place_answering(pool: Pool, how: Answering, asking: Asking, past: Measured) -> Place:
    load = asking.load
    bf16 = pool.has_gpus if how.precision == "auto" else how.precision == "bf16"
    expected = answering(how, load.model_copy(update={"bf16": bf16, "gpu": pool.has_gpus})).peak
    expected_s = None
    if pool.machine is not None:
        expected_s = answering_s(how, load.shape, asking.prompt_tokens, speed_of(pool.machine))
    if pool.memory is None:
        return Place(pool, expected, expected_s, past)
    peak = expected * past.memory.factor
    fit = fit_of(peak, pool.memory)
    warning = _too_big(pool, peak, f"batch_size {max(1, how.batch_size // 4)}") if fit == "too_big" else None
    return Place(pool, expected, expected_s, past, fit, warning)


def _place(pool: Pool, method: CanonicalMethod, work: Work, past: Measured) -> Place:
    automatic = method.hyperparameters.precision == "auto"
    changes = {"gpu": pool.has_gpus} | ({"bf16": pool.has_gpus} if automatic else {})
    load = work.load.model_copy(update=changes)
    memory = float("inf") if pool.memory is None else pool.memory
    expected = least(method, load, memory).peak
    twice = needs_checkpointing(method, load, memory)
    expected_s = None
    if pool.machine is not None:
        here = work.model_copy(update={"load": load, "checkpointing": twice})
        expected_s = duration_of(method, here, speed_of(pool.machine)).total
    if pool.memory is None:
        return Place(pool, expected, expected_s, past)
    peak = expected * past.memory.factor
    fit = fit_of(peak, pool.memory)
    warning = _too_big(pool, peak, smaller(method, load, pool.memory)) if fit == "too_big" else None
    return Place(pool, expected, expected_s, past, fit, warning)


def _too_big(pool: Pool, needed: float, setting: str) -> FaultReport:
    there = round((pool.memory or 0.0) / GB, 1)
    params = {"pool": pool.name, "needed": round(needed / GB, 1), "there": there, "smaller": setting}
    return Fault("job.too_big", field="resources.pool", **params).report  # type: ignore[arg-type]  # none is called so
