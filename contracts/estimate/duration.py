"""How long a training takes, before it is begun: counted FLOPs and bytes over the speed of a machine.

A first guess can be off by a factor; what jobs of a pool really took corrects it (whetstone/jobs/measured.py).
"""

import math
from typing import NamedTuple

from contracts import Contract
from contracts.estimate.memory import FLOAT, Workload, adapter_parameters
from contracts.estimate.shape import Shape
from contracts.estimate.speed import Speed
from contracts.evaluation import Answering
from contracts.method import (
    CanonicalMethod,
    DpoMethod,
    KtoMethod,
    PpoMethod,
    RewardModelMethod,
    SamplingHyperparameters,
)
from contracts.resolve import fixed

START_S = 5.0
"""Claim, download, loading, upload: about what small models take on a warm worker."""
GRADE_S = 50e-6
"""For one completion by rules in this process. Judges and reward models take longer, and are not guessed."""
DISK = 300e6
"""Bytes a second that a checkpoint or a model is written, hashed and uploaded with. A guess."""
EVALUATED_AT_ONCE = 128
GUESS = 4.0
"""A first guess is shown with a range from a fourth to four times of it."""


class Work(Contract):
    """A training as far as its time is concerned."""

    load: Workload
    steps: int
    row_tokens: int
    """Of the row in the middle, as the model reads it; where completions are sampled, of the prompt."""
    held_out_rows: int = 0
    held_out_samples: bool = False
    """Whether held-out answers are sampled and graded, instead of read."""
    checkpointing: bool = False


class Duration(NamedTuple):
    """Seconds."""

    learning: float
    sampling: float
    evaluating: float
    saving: float
    starting: float = START_S

    @property
    def total(self) -> float:
        return sum(self)


def duration_of(method: CanonicalMethod, work: Work, speed: Speed) -> Duration:
    """Of a resolved method, as if every completion ran to its limit."""
    h = method.hyperparameters
    batches = work.steps / h.cycle
    sampling = 0.0
    if isinstance(h, SamplingHyperparameters):
        completions = int(fixed(h.batch_size)) * h.num_generations
        sampling = batches * (_sampled_s(h, work, completions, speed) + GRADE_S * completions)
    return Duration(
        learning=work.steps * _step_flops(method, work) / speed.flops + work.steps * _overhead_s(method, work, speed),
        sampling=sampling,
        evaluating=_evaluating_s(method, work, speed),
        saving=_saving_s(method, work),
        starting=START_S + FLOAT * work.load.shape.parameters / DISK,
    )


def _step_flops(method: CanonicalMethod, work: Work) -> float:
    """Two for each parameter and token of a forward pass, twice that of the backward pass (Kaplan et al.,
    arXiv:2001.08361, 2.1); the queries' products with all keys on top. Frozen weights have no gradient of their own."""
    shape, h = work.load.shape, method.hyperparameters
    length = work.row_tokens + (h.max_completion_length if isinstance(h, SamplingHyperparameters) else 0)
    tokens = _sequences(method) * length
    forward = 2 * shape.active + 4 * shape.layers * shape.query * length / 2
    learn = 2 if method.block.lora else 3
    again = 1 if work.checkpointing else 0
    return tokens * forward * ((learn + again) * (2 if isinstance(method, PpoMethod) else 1) + _read_again(method))


def _read_again(method: CanonicalMethod) -> float:
    """Forward passes without a backward one: reference, old policy, the critic's first word, KTO's strangers."""
    h = method.hyperparameters
    if isinstance(h, SamplingHyperparameters):
        once = (h.beta > 0) + isinstance(method, PpoMethod)
        return once / h.num_iterations
    return 3.0 if isinstance(method, KtoMethod) else 1.0 if isinstance(method, DpoMethod) else 0.0


def _sequences(method: CanonicalMethod) -> int:
    """That one optimizer step learns from."""
    h = method.hyperparameters
    rows = int(fixed(h.batch_size))
    if isinstance(h, SamplingHyperparameters):
        return max(1, rows * h.num_generations // h.num_minibatches)
    return rows * (2 if isinstance(method, DpoMethod | RewardModelMethod) else 1)


def _overhead_s(method: CanonicalMethod, work: Work, speed: Speed) -> float:
    """What layers take however small they are, forward and backward, and what the optimizer reads and writes."""
    passes = math.ceil(_sequences(method) / int(fixed(method.hyperparameters.micro_batch_size)))
    shape = work.load.shape
    adapter = method.block.lora
    trained = shape.parameters if adapter is None else adapter_parameters(shape, adapter)
    return 3 * passes * shape.layers * speed.layer_s + 7 * FLOAT * trained / speed.bandwidth


def answering_s(how: Answering, shape: Shape, prompt_tokens: int, speed: Speed) -> float:
    """Seconds of an evaluation, as if every answer ran to its limit. `prompt_tokens`: of the prompt in the middle."""
    batches = how.rows / how.batch_size
    answers = how.batch_size * how.samples
    written = _written_s(shape, prompt_tokens, answers, how.batch_size, how.max_completion_length, speed)
    return START_S + FLOAT * shape.parameters / DISK + batches * (written + GRADE_S * answers)


def _sampled_s(h: SamplingHyperparameters, work: Work, completions: int, speed: Speed) -> float:
    prompts = int(fixed(h.batch_size))
    return _written_s(work.load.shape, work.row_tokens, completions, prompts, h.max_completion_length, speed)


def _written_s(shape: Shape, prompt: int, completions: int, prompts: int, longest: int, speed: Speed) -> float:
    """Prompts are read once; then each token of all completions takes a pass through the weights and the cache."""
    read = 2 * shape.active * prompts * prompt / speed.flops
    cache = 2 * FLOAT * shape.key_value * shape.layers * completions * (prompt + longest / 2)
    moved = (FLOAT * min(shape.parameters, shape.active * completions) + cache) / speed.bandwidth
    computed = 2 * shape.active * completions / speed.flops
    return read + longest * (max(moved, computed) + shape.layers * speed.layer_s)


def _evaluating_s(method: CanonicalMethod, work: Work, speed: Speed) -> float:
    if not work.held_out_rows:
        return 0.0
    h = method.hyperparameters
    times, shape = 1 + math.ceil(work.steps / int(fixed(h.eval_interval))), work.load.shape
    read = 2 * shape.active * work.held_out_rows * work.row_tokens / speed.flops
    if not work.held_out_samples:
        return times * read * (2 if isinstance(method, DpoMethod | KtoMethod | RewardModelMethod) else 1)
    sampled = isinstance(h, SamplingHyperparameters)
    answers = work.held_out_rows * (int(fixed(h.eval_samples)) if isinstance(h, SamplingHyperparameters) else 1)
    longest = h.max_completion_length if isinstance(h, SamplingHyperparameters) else work.row_tokens
    at_once = min(answers, EVALUATED_AT_ONCE)
    written = math.ceil(answers / at_once) * _written_s(shape, work.row_tokens, at_once, at_once, longest, speed)
    return times * ((0 if sampled else read) + written)


def _saving_s(method: CanonicalMethod, work: Work) -> float:
    """A checkpoint holds what is trained and its two moments; at the end stands the whole model."""
    shape, adapter = work.load.shape, method.block.lora
    trained = shape.parameters if adapter is None else adapter_parameters(shape, adapter)
    checkpoints = math.ceil(work.steps / int(fixed(method.hyperparameters.checkpoint_interval)))
    return FLOAT * (checkpoints * 3 * trained + shape.parameters) / DISK
