"""Which smaller settings would fit, when a training does not."""

from collections.abc import Iterator

from contracts.estimate.memory import SAFE_SHARE, Workload, estimate, needs_checkpointing, runtime
from contracts.method import CanonicalMethod, LoraAdapter, SamplingHyperparameters
from contracts.resolve import fixed

NO_FIT = 0.75
"""Settings that ran out of memory are followed by some that need at most this share of it, the libraries aside."""


def smaller(method: CanonicalMethod, load: Workload, memory: float) -> str:
    """The least change that fits into so many bytes, in the words of the API, like “micro_batch_size 2”.

    The method as it is has just run out of them, whatever the estimate says. If nothing fits: the smallest of all.
    """
    now = estimate(method, load, checkpointing=needs_checkpointing(method, load, memory)).peak
    libraries = runtime(load)
    room = min(SAFE_SHARE * memory, libraries + NO_FIT * (now - libraries))
    every = list(_candidates(method))
    fitting = (said for said, one, twice in every if estimate(one, load, checkpointing=twice).peak <= room)
    return next(fitting, every[-1][0])


def _candidates(method: CanonicalMethod) -> Iterator[tuple[str, CanonicalMethod, bool]]:
    """What to say, the method so changed, and whether it computes activations twice.

    From what changes no result, through what takes longer, to what learns differently.
    """
    h = method.hyperparameters
    for size in _halves(int(fixed(h.micro_batch_size))):
        yield f"micro_batch_size {size}", _with(method, micro_batch_size=size), False
    said, least = "micro_batch_size 1, gradient_checkpointing true", _with(method, micro_batch_size=1)
    yield said, least, True
    fewer = _halves(int(fixed(h.batch_size))) if isinstance(h, SamplingHyperparameters) else []
    for size in fewer:
        yield f"batch_size {size}", _with(method, batch_size=size), False
    if method.block.lora is None:
        block = least.block.model_copy(update={"lora": LoraAdapter()})
        said, least = f"{said}, lora", least.model_copy(update={least.type: block})
        yield said, least, True
    for size in fewer:
        yield f"{said}, batch_size {size}", _with(least, batch_size=size), True


def _halves(size: int) -> list[int]:
    return [size >> n for n in range(1, size.bit_length())]


def _with(method: CanonicalMethod, **changes: int) -> CanonicalMethod:
    h = method.hyperparameters.model_copy(update=changes)
    return method.model_copy(update={method.type: method.block.model_copy(update={"hyperparameters": h})})
