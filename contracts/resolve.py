"""From "auto" to a number: what the job then shows, and what its worker uses."""

import math
from typing import TypeVar

from contracts import Contract
from contracts.method import (
    Auto,
    CanonicalMethod,
    FullMethod,
    GrpoHyperparameters,
    GrpoMethod,
    Hyperparameters,
)

T = TypeVar("T", int, float)
H = TypeVar("H", bound=Hyperparameters)

# Recommended learning rates by number of parameters: (below, supervised, supervised LoRA, grpo, grpo LoRA).
# From TRL's defaults and model cards above 100M; measured on the starter model below 10M.
LEARNING_RATES = (
    (10e6, 1e-3, 3e-3, 1e-4, 1e-3),
    (100e6, 2e-4, 1e-3, 1e-5, 1e-4),
    (math.inf, 2e-5, 2e-4, 1e-6, 1e-5),
)
# Sequences that fit through the model at once without trouble: (parameters below, sequences).
MICRO_BATCHES = ((10e6, 256), (100e6, 32), (math.inf, 4))


class Facts(Contract):
    """What has to be known before "auto" can become a number."""

    rows: int
    parameters: int


def fixed(value: T | Auto) -> T:
    """A resolved value. Raises ValueError if it was never resolved."""
    if isinstance(value, str):
        raise ValueError("this hyperparameter was not resolved")
    return value


def total_steps(method: CanonicalMethod, rows: int) -> int:
    """Optimizer steps of a resolved method: an epoch drops the incomplete last batch unless it is the only one."""
    h = hyperparameters_of(method)
    batches = rows / fixed(h.batch_size)
    per_epoch = math.floor(batches) if isinstance(method, GrpoMethod) else math.ceil(batches)
    updates = h.num_iterations if isinstance(h, GrpoHyperparameters) else 1
    steps = max(1, per_epoch) * fixed(h.n_epochs) * updates
    return min(steps, h.max_steps) if h.max_steps else steps


def hyperparameters_of(method: CanonicalMethod) -> Hyperparameters:
    if isinstance(method, GrpoMethod):
        return method.grpo.hyperparameters
    if isinstance(method, FullMethod):
        return method.full.hyperparameters
    return method.lora.hyperparameters


def resolve(method: CanonicalMethod, facts: Facts) -> CanonicalMethod:
    """The same method with a number in every place that said "auto"."""
    if isinstance(method, GrpoMethod):
        grpo = method.grpo
        lr = _learning_rate(facts, 3 if grpo.lora is None else 4)
        h = _resolve(
            grpo.hyperparameters,
            facts,
            epochs=1,
            batch=16,
            learning_rate=lr,
            group=grpo.hyperparameters.num_generations,
        )
        h = h.model_copy(update={"eval_samples": 1 if h.eval_samples == "auto" else h.eval_samples})
        return _paced(GrpoMethod(grpo=grpo.model_copy(update={"hyperparameters": h})), facts.rows)
    if isinstance(method, FullMethod):
        h2 = _resolve(method.full.hyperparameters, facts, epochs=3, batch=8, learning_rate=_learning_rate(facts, 1))
        return _paced(FullMethod(full=method.full.model_copy(update={"hyperparameters": h2})), facts.rows)
    h3 = _resolve(method.lora.hyperparameters, facts, epochs=3, batch=8, learning_rate=_learning_rate(facts, 2))
    return _paced(
        method.model_copy(update={"lora": method.lora.model_copy(update={"hyperparameters": h3})}), facts.rows
    )


def _learning_rate(facts: Facts, column: int) -> float:
    return next(float(row[column]) for row in LEARNING_RATES if facts.parameters < row[0])


def _resolve(h: H, facts: Facts, *, epochs: int, batch: int, learning_rate: float, group: int = 1) -> H:
    multiplier = 1.0 if h.learning_rate_multiplier == "auto" else h.learning_rate_multiplier
    rate = learning_rate if h.learning_rate == "auto" else h.learning_rate
    batch_size = min(batch, facts.rows) if h.batch_size == "auto" else min(h.batch_size, facts.rows)
    most = next(row[1] for row in MICRO_BATCHES if facts.parameters < row[0])
    asked = most if h.micro_batch_size == "auto" else h.micro_batch_size
    return h.model_copy(
        update={
            "n_epochs": epochs if h.n_epochs == "auto" else h.n_epochs,
            "batch_size": batch_size,
            "learning_rate": rate * multiplier,
            "learning_rate_multiplier": 1.0,
            "micro_batch_size": _largest_divisor(batch_size * group, int(asked)),
        }
    )


def _largest_divisor(total: int, at_most: int) -> int:
    return next(n for n in range(min(total, at_most), 0, -1) if total % n == 0)


def _paced(method: CanonicalMethod, rows: int) -> CanonicalMethod:
    h = hyperparameters_of(method)
    steps = total_steps(method, rows)
    pace = {
        "eval_interval": max(1, math.ceil(steps / 5)) if h.eval_interval == "auto" else h.eval_interval,
        "checkpoint_interval": max(1, math.ceil(steps / 5))
        if h.checkpoint_interval == "auto"
        else h.checkpoint_interval,
    }
    block = getattr(method, method.type)
    return method.model_copy(
        update={method.type: block.model_copy(update={"hyperparameters": h.model_copy(update=pace)})}
    )
