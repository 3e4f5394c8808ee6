"""From "auto" to a number: what the job then shows, and what its worker uses."""

import math
from typing import Any, NamedTuple, TypeVar

from contracts import Contract
from contracts.method import (
    Auto,
    CanonicalMethod,
    DpoHyperparameters,
    Hyperparameters,
    KtoHyperparameters,
    PpoHyperparameters,
    SamplingHyperparameters,
)

T = TypeVar("T", int, float)
TINY, SMALL = 10e6, 100e6


class Recommended(NamedTuple):
    """What "auto" becomes. Rates are for all weights and for an adapter, by number of parameters."""

    epochs: int
    batch: int
    tiny: tuple[float, float]
    small: tuple[float, float]
    large: tuple[float, float]

    def learning_rate(self, parameters: int, has_adapter: bool) -> float:
        rates = self.tiny if parameters < TINY else self.small if parameters < SMALL else self.large
        return rates[has_adapter]


# From TRL's defaults and model cards above 100M parameters; measured on the starter model below 10M.
SUPERVISED = Recommended(3, 8, (1e-3, 3e-3), (2e-4, 1e-3), (2e-5, 2e-4))
ONLINE = Recommended(1, 16, (1e-4, 1e-3), (1e-5, 1e-4), (1e-6, 1e-5))
RECOMMENDED = {
    "full": SUPERVISED,
    "lora": SUPERVISED,
    "dpo": Recommended(1, 32, (1e-4, 1e-3), (1e-5, 1e-4), (1e-6, 1e-5)),
    "kto": Recommended(1, 32, (3e-5, 3e-4), (5e-6, 5e-5), (1e-6, 1e-5)),
    "reward_model": Recommended(1, 32, (3e-4, 1e-3), (5e-5, 5e-4), (1e-5, 1e-4)),
    "grpo": ONLINE,
    "rloo": ONLINE,
    "ppo": ONLINE._replace(batch=128),
}
# Sequences that fit through the model at once without trouble: (parameters below, sequences).
MICRO_BATCHES = ((TINY, 256), (SMALL, 32), (math.inf, 4))
CRITIC_RATE = 10
"""A critic starts from nothing and has further to go than the model."""
WARMUP = 10
"""One step in so many is the critic's alone, in whole batches of completions."""


class Facts(Contract):
    """What has to be known before "auto" can become a number."""

    rows: int
    parameters: int
    desirable: int = 0
    """Rows that are labelled as good, where rows are labelled."""


def fixed(value: T | Auto) -> T:
    """A resolved value. Raises ValueError if it was never resolved."""
    if isinstance(value, str):
        raise ValueError("this hyperparameter was not resolved")
    return value


def total_steps(method: CanonicalMethod, rows: int) -> int:
    """Optimizer steps of a resolved method.

    An epoch of sampling drops the incomplete last batch unless it is the only one.
    """
    h = method.hyperparameters
    batches = rows / fixed(h.batch_size)
    per_epoch = math.floor(batches) if method.is_reinforcement else math.ceil(batches)
    steps = max(1, per_epoch) * fixed(h.n_epochs) * h.cycle
    return min(steps, h.max_steps) if h.max_steps else steps


def resolve(method: CanonicalMethod, facts: Facts) -> CanonicalMethod:
    """The same method with a number in every place that said "auto"."""
    recommended = RECOMMENDED[method.type]
    h = method.hyperparameters
    multiplier = _or(h.learning_rate_multiplier, 1.0)
    rate = _or(h.learning_rate, recommended.learning_rate(facts.parameters, method.block.lora is not None))
    found: dict[str, Any] = {
        "n_epochs": _or(h.n_epochs, recommended.epochs),
        "batch_size": min(_or(h.batch_size, recommended.batch), facts.rows),
        "learning_rate": rate * multiplier,
        "learning_rate_multiplier": 1.0,
    }
    found |= _of_kind(h.model_copy(update=found), facts)
    found |= _micro_batch(h.model_copy(update=found), facts)
    resolved = _with(method, found)
    return _with(resolved, _pace(resolved.hyperparameters, total_steps(resolved, facts.rows)))


def _or(value: T | Auto, automatic: T) -> T:
    return automatic if isinstance(value, str) else value


def _with(method: CanonicalMethod, changes: dict[str, Any]) -> CanonicalMethod:
    h = method.hyperparameters.model_copy(update=changes)
    return method.model_copy(update={method.type: method.block.model_copy(update={"hyperparameters": h})})


def _of_kind(h: Hyperparameters, facts: Facts) -> dict[str, Any]:
    is_tiny = facts.parameters < TINY
    if isinstance(h, DpoHyperparameters):
        return {"beta": _or(h.beta, 0.3 if is_tiny else 0.1), "sft_weight": _or(h.sft_weight, 1.0)}
    if isinstance(h, KtoHyperparameters):
        return {"beta": _or(h.beta, 0.5 if is_tiny else 0.1)} | _class_weights(h, facts)
    if isinstance(h, PpoHyperparameters):
        critic = _or(h.critic_learning_rate, min(1.0, CRITIC_RATE * fixed(h.learning_rate)))
        alone = fixed(h.batch_size) * h.num_generations == 1  # whose advantage could not be told from a mean
        more = {"num_generations": 2} if alone else {}
        return {"critic_learning_rate": critic, "eval_samples": _or(h.eval_samples, 1)} | more
    return {"eval_samples": _or(h.eval_samples, 1)} if isinstance(h, SamplingHyperparameters) else {}


def _class_weights(h: KtoHyperparameters, facts: Facts) -> dict[str, float]:
    """Weights that make both classes count alike: the rarer one is raised (KTO, section 4.2)."""
    good, bad = facts.desirable, facts.rows - facts.desirable
    known = good > 0 and bad > 0
    return {
        "desirable_weight": _or(h.desirable_weight, max(1.0, bad / good) if known else 1.0),
        "undesirable_weight": _or(h.undesirable_weight, max(1.0, good / bad) if known else 1.0),
    }


def _micro_batch(h: Hyperparameters, facts: Facts) -> dict[str, int]:
    """Sizes that divide each other: a batch into its updates, an update into what passes through the model at once."""
    most = next(size for below, size in MICRO_BATCHES if facts.parameters < below)
    asked = _or(h.micro_batch_size, most)
    if not isinstance(h, SamplingHyperparameters):
        return {"micro_batch_size": _largest_divisor(fixed(h.batch_size), asked)}
    completions = fixed(h.batch_size) * h.num_generations
    updates = _largest_divisor(completions, h.num_minibatches)
    return {"num_minibatches": updates, "micro_batch_size": _largest_divisor(completions // updates, asked)}


def _largest_divisor(total: int, at_most: int) -> int:
    return next(n for n in range(min(total, at_most), 0, -1) if total % n == 0)


def _pace(h: Hyperparameters, steps: int) -> dict[str, int]:
    """Five evaluations and checkpoints, each checkpoint at the end of a cycle: its completions are not saved."""
    fifth = max(1, math.ceil(steps / 5))
    checkpoints = _or(h.checkpoint_interval, fifth)
    found = {
        "eval_interval": _or(h.eval_interval, fifth),
        "checkpoint_interval": math.ceil(checkpoints / h.cycle) * h.cycle,
    }
    if isinstance(h, PpoHyperparameters):
        found["critic_warmup_steps"] = _or(h.critic_warmup_steps, round(steps / WARMUP / h.cycle) * h.cycle)
    return found
