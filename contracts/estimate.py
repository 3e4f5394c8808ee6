"""How much memory a training needs, before anything is loaded, and which smaller settings would fit.

Pure arithmetic on a model's config and a resolved method. Against the peak measured on a CPU it is right within a
factor of 1.5 (tests/trainer_worker/test_memory.py); on other machines, kernels and precisions nobody has measured it,
so it is said with the word “about”.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Literal, NamedTuple

from contracts import Contract
from contracts.evaluation import Answering
from contracts.method import (
    CanonicalMethod,
    DpoMethod,
    KtoMethod,
    LoraAdapter,
    PpoMethod,
    RewardModelMethod,
    SamplingHyperparameters,
)
from contracts.resolve import fixed

FLOAT, HALF = 4, 2
"""Bytes. Weights, gradients and the optimizer's state are kept in fp32."""
ADAMW = 2 * FLOAT
"""Two moments for every trained parameter (Kingma and Ba 2015; Loshchilov and Hutter, arXiv:1711.05101)."""
RUNTIME = 600_000_000
"""The libraries themselves, measured on a CPU. A CUDA context is of the same size."""
MIXED = 0.7
"""Share of fp32's activations that bf16 autocast keeps: norms and residuals stay in fp32. Measured 0.68 to 0.77."""
SAFE_SHARE = 0.8
"""Of the memory that is there: what may be planned with, because this is an estimate."""
NO_FIT = 0.75
"""Settings that ran out of memory are followed by some that need at most this share of it, the libraries aside."""
SCORED_AT_ONCE = 16_384
"""Tokens of conversations, padding included, that pass through a reward model together."""
GB = 1e9
Fit = Literal["fits", "tight", "too_big"]


class Shape(Contract):
    """What of a decoder's config decides how much memory it takes."""

    parameters: int
    layers: int
    hidden: int
    intermediate: int
    query: int
    """Width of all query heads together."""
    key_value: int
    """Width of all key heads together; the values' is the same."""
    vocabulary: int

    @classmethod
    def of(cls, config: Mapping[str, Any], parameters: int) -> "Shape":  # Any: a model's config.json
        """From a config.json. Raises ValueError for one that does not describe a decoder."""
        text = config.get("text_config", config)
        try:
            hidden = int(_first(text, "hidden_size", "n_embd"))
            heads = int(_first(text, "num_attention_heads", "n_head"))
            head = int(text.get("head_dim") or hidden // heads)
            return cls(
                parameters=parameters,
                layers=int(_first(text, "num_hidden_layers", "n_layer")),
                hidden=hidden,
                intermediate=int(text.get("intermediate_size") or text.get("n_inner") or 4 * hidden),
                query=heads * head,
                key_value=int(text.get("num_key_value_heads") or heads) * head,
                vocabulary=int(text["vocab_size"]),
            )
        except (KeyError, TypeError, ArithmeticError) as error:
            raise ValueError(f"this config describes no decoder: {error}") from error


class Workload(Contract):
    """A training as far as its memory is concerned."""

    shape: Shape
    tokens: int
    """Of the longest row; where completions are sampled, of the longest prompt."""
    bf16: bool
    scorers: tuple[Shape, ...] = ()
    """The reward models that the grader asks. They lie beside the model that is trained."""


class Memory(NamedTuple):
    """Bytes."""

    kept: float
    """From the first step to the last: weights, gradients, optimizer, a reference model, a critic, reward models."""
    activations: float
    """What the backward pass needs of one micro batch."""
    sampling: float
    """Keys, values and probabilities of all completions that are sampled at once."""
    scoring: float = 0.0
    """What one layer of a reward model makes of the conversations that pass through it together."""

    @property
    def peak(self) -> float:
        """Learning, sampling and scoring take turns."""
        return RUNTIME + self.kept + max(self.activations, self.sampling, self.scoring)

    @property
    def peak_gb(self) -> float:
        return round(self.peak / GB, 1)


def estimate(method: CanonicalMethod, load: Workload, *, checkpointing: bool) -> Memory:
    """Of a resolved method."""
    h = method.hyperparameters
    tokens = load.tokens + (h.max_completion_length if isinstance(h, SamplingHyperparameters) else 0)
    at_once = int(fixed(h.micro_batch_size)) * _sequences_a_row(method)
    return Memory(
        kept=_kept(method, load) + _kept_of_scorers(load),
        activations=at_once * tokens * _per_token(load, checkpointing),
        sampling=_sampling(h, load, tokens) if isinstance(h, SamplingHyperparameters) else 0,
        scoring=max((SCORED_AT_ONCE * _layer(shape, load.bf16) for shape in load.scorers), default=0.0),
    )


def answering(how: Answering, load: Workload) -> Memory:
    """Of an evaluation: weights that nobody learns, and the answers that are written at once."""
    weights = load.shape.parameters * (HALF if load.bf16 else FLOAT)
    tokens = load.tokens + how.max_completion_length
    return Memory(
        kept=weights + _kept_of_scorers(load),
        activations=0.0,
        sampling=_writing(how.batch_size * how.samples, load, tokens),
        scoring=max((SCORED_AT_ONCE * _layer(shape, load.bf16) for shape in load.scorers), default=0.0),
    )


def fit_of(peak: float, memory: float) -> Fit:
    """Bytes needed at the most, and bytes there are. “tight”: it fits if the estimate is right."""
    return "fits" if peak <= SAFE_SHARE * memory else "tight" if peak <= memory else "too_big"


def least(method: CanonicalMethod, load: Workload, memory: float) -> Memory:
    """The estimate with activations computed twice where that is needed to fit, as the worker will have it."""
    return estimate(method, load, checkpointing=needs_checkpointing(method, load, memory))


def needs_checkpointing(method: CanonicalMethod, load: Workload, memory: float) -> bool:
    """Whether the method fits into so many bytes only when activations are computed twice."""
    asked = method.hyperparameters.gradient_checkpointing
    if not isinstance(asked, str):
        return asked
    return estimate(method, load, checkpointing=False).peak > SAFE_SHARE * memory


def smaller(method: CanonicalMethod, load: Workload, memory: float) -> str:
    """The least change that fits into so many bytes, in the words of the API, like “micro_batch_size 2”.

    The method as it is has just run out of them, whatever the estimate says. If nothing fits: the smallest of all.
    """
    now = estimate(method, load, checkpointing=needs_checkpointing(method, load, memory)).peak
    room = min(SAFE_SHARE * memory, RUNTIME + NO_FIT * (now - RUNTIME))
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


def _kept(method: CanonicalMethod, load: Workload) -> float:
    parameters, adapter = load.shape.parameters, method.block.lora
    trained = parameters if adapter is None else adapter_parameters(load.shape, adapter)
    learners = 2 if isinstance(method, PpoMethod) else 1  # the critic learns beside the policy
    copies = 1 + (adapter is None and (_has_reference(method) + isinstance(method, PpoMethod)))
    learning = learners * trained * (FLOAT + ADAMW + (FLOAT if adapter else 0))
    autocast = HALF * parameters if load.bf16 else 0  # autocast keeps the weights in bf16 during a pass
    return FLOAT * parameters * copies + learning + autocast


def _kept_of_scorers(load: Workload) -> float:
    """Weights alone, in the precision of the training: nothing of them is learned."""
    return sum(shape.parameters for shape in load.scorers) * (HALF if load.bf16 else FLOAT)


def _has_reference(method: CanonicalMethod) -> bool:
    """A frozen copy of the whole model. Beside an adapter it is the model without it, and costs nothing."""
    h = method.hyperparameters
    if isinstance(h, SamplingHyperparameters):
        return h.beta > 0
    return isinstance(method, DpoMethod | KtoMethod)


def adapter_parameters(shape: Shape, adapter: LoraAdapter) -> int:
    """Of an adapter on all linear layers: rank times the widths on both sides (Hu et al., arXiv:2106.09685)."""
    attention = 2 * (shape.hidden + shape.query) + 2 * (shape.hidden + shape.key_value)
    mlp = 3 * (shape.hidden + shape.intermediate)
    return adapter.rank * shape.layers * (attention + mlp)


def _sequences_a_row(method: CanonicalMethod) -> int:
    """A pair is two sequences. KTO reads every answer a second time, beside another prompt."""
    return 2 if isinstance(method, DpoMethod | KtoMethod | RewardModelMethod) else 1


def _per_token(load: Workload, checkpointing: bool) -> float:
    """Bytes of activations for one token, through all layers.

    Counted in what autograd saves of a gated decoder with fused attention (no matrix of scores is kept), as Korthikanti
    et al. (arXiv:2205.05198) count for older ones. Checkpointing keeps each layer's input and one layer's insides.
    """
    shape, layer = load.shape, _layer(load.shape, load.bf16)
    return FLOAT * shape.hidden * shape.layers + layer if checkpointing else layer * shape.layers


def _layer(shape: Shape, bf16: bool) -> float:
    """Bytes that one layer makes of one token."""
    floats = 4 * shape.intermediate + 6 * shape.hidden + 4 * shape.query + 2 * shape.key_value
    return FLOAT * floats * (MIXED if bf16 else 1)


def _sampling(h: SamplingHyperparameters, load: Workload, tokens: int) -> float:
    """The cache of all completions, and four arrays as large as the vocabulary for each: logits, their normal form,
    probabilities and what is drawn from them."""
    return _writing(int(fixed(h.batch_size)) * h.num_generations, load, tokens)


def _writing(completions: int, load: Workload, tokens: int) -> float:
    cache = 2 * load.shape.key_value * load.shape.layers * tokens * (HALF if load.bf16 else FLOAT)
    return completions * (cache + 4 * FLOAT * load.shape.vocabulary)


def _first(config: Mapping[str, Any], *names: str) -> Any:  # Any: as in the config
    return next((config[name] for name in names if name in config), None)
