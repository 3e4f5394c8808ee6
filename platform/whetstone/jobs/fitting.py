"""Which methods a model can be trained with in which pool, each at its defaults: before anything else is chosen."""

from dataclasses import dataclass

from contracts.estimate import Shape, Work, Workload
from contracts.method import METHODS
from contracts.resolve import Facts, resolve
from whetstone.jobs.place import Place, places_in
from whetstone.modelhub.models import Model
from whetstone.workers.pools import Pool, standing

ROWS, TOKENS = 1_000, 1_024
"""What is assumed of data that nobody has chosen yet: how many rows, and how long the longest is."""


@dataclass(frozen=True)
class Row:
    method: str
    places: list[Place]
    """One for each pool."""


@dataclass(frozen=True)
class Fitting:
    pools: list[Pool]
    rows: list[Row]


def fitting(model: Model) -> Fitting | None:
    """None without a worker alive, and for a model of which nobody can say what it needs, or that cannot be trained."""
    pools = [pool for pool in standing() if pool.alive]
    if not pools or model.quantization or model.is_adapter:
        return None
    try:
        shape = Shape.of(model.config, model.parameters)
    except ValueError:
        return None
    tokens = min(TOKENS, model.context_length or TOKENS)
    work = Work(load=Workload(shape=shape, tokens=tokens, bf16=False), steps=1, row_tokens=tokens)
    facts = Facts(rows=ROWS, parameters=model.parameters, desirable=ROWS // 2)
    rows = []
    for name, method in METHODS.items():
        if method.makes == "reward" or model.task == Model.Task.TEXT:
            resolved = resolve(method, facts)
            rows.append(Row(name, places_in(pools, resolved, work)))
    return Fitting(pools, rows)
