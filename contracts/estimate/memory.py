"""How much memory a training needs, before anything is loaded.

Counted from the shapes of what torch, transformers 5.23 and TRL 1.16 keep; what `benchmarks/estimate.py` measures
beside it on a CPU is in docs/benchmarks.md. Of GPUs nothing was measured: there the same count is made with what is
known of their kernels, and is said with the word “about”.
"""

from typing import Literal, NamedTuple

from contracts import Contract
from contracts.estimate.shape import Shape
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
RUNTIME = 420_000_000
"""The libraries themselves: trainings of next to nothing held 413 to 425 MB on a CPU, whatever the method."""
GPU_RUNTIME = 600_000_000
"""A CUDA context with cuBLAS's workspaces. Not measured."""
MIXED = 0.7
"""Share of fp32's activations that bf16 autocast keeps: norms and residuals stay in fp32. Measured 0.68 to 0.77."""
TILE_TOKENS, TILE_WIDTH = 4096, 32_768
"""TRL's loss sees the logits of so many tokens and words of the vocabulary at a time."""
TILES = 7.25
"""Arrays as large as a tile that its backward pass holds beside the tile where there is no Triton: counted."""
PAGE = 4096
"""Bytes. Rows of a tile lie TILE_WIDTH apart, so that each touches a page of its own at least."""
HOLES = {"plain": 1.3, "checkpointing": 2.5, "adapter": 4.2, "both": 4.8}
"""Layers of a micro batch whose freed memory glibc keeps between what is still used. Fitted, not counted: to what 25
trainings of the starter model and three of one with 32M parameters held beyond the count (decision 19)."""
HOLED = 24 << 20
"""Bytes. Arrays beyond 32 MiB at the latest come from the system, and go back to it at once: no holes."""
GROWING = 2
"""A cache that grows by a token is copied to longer arrays, and the shorter ones leave their holes."""
SAFE_SHARE = 0.8
"""Of the memory that is there: what may be planned with, because this is an estimate."""
SCORED_AT_ONCE = 16_384
"""Tokens of conversations, padding included, that pass through a reward model together."""
GB = 1e9
Fit = Literal["fits", "tight", "too_big"]


class Workload(Contract):
    """A training as far as its memory is concerned."""

    shape: Shape
    tokens: int
    """Of the longest row; where completions are sampled, of the longest prompt."""
    bf16: bool
    scorers: tuple[Shape, ...] = ()
    """The reward models that the grader asks. They lie beside the model that is trained."""
    gpu: bool = False


class Memory(NamedTuple):
    """Bytes."""

    kept: float
    """From the first step to the last: weights, optimizer, a reference model, a critic, reward models."""
    gradients: float
    activations: float
    """What the backward pass of one micro batch needs, with the gradients that micro batches before it have left."""
    sampling: float
    """Keys, values and probabilities of all completions that are sampled at once."""
    scoring: float = 0.0
    """What one layer of a reward model makes of the conversations that pass through it together."""
    libraries: float = RUNTIME

    @property
    def peak(self) -> float:
        """Learning, stepping, sampling and scoring take turns."""
        return self.libraries + self.kept + max(self.activations, self.gradients, self.sampling, self.scoring)

    @property
    def peak_gb(self) -> float:
        return round(self.peak / GB, 1)


def estimate(method: CanonicalMethod, load: Workload, *, checkpointing: bool) -> Memory:
    """Of a resolved method."""
    h = method.hyperparameters
    gradients = FLOAT * _trained(method, load)
    left = gradients if _passes(method) > 1 else 0
    return Memory(
        kept=_kept(method, load) + _kept_of_scorers(load),
        gradients=gradients,
        activations=left + _activations(method, load, checkpointing),
        sampling=_sampling(h, load) if isinstance(h, SamplingHyperparameters) else 0,
        scoring=max((SCORED_AT_ONCE * _layer(shape, load, 0) for shape in load.scorers), default=0.0),
        libraries=runtime(load),
    )


def answering(how: Answering, load: Workload) -> Memory:
    """Of an evaluation: weights that nobody learns, and the answers that are written at once."""
    weights = load.shape.parameters * (HALF if load.bf16 else FLOAT)
    return Memory(
        kept=weights + _kept_of_scorers(load),
        gradients=0.0,
        activations=0.0,
        sampling=_writing(how.batch_size * how.samples, how.max_completion_length, load),
        scoring=max((SCORED_AT_ONCE * _layer(shape, load, 0) for shape in load.scorers), default=0.0),
        libraries=runtime(load),
    )


def runtime(load: Workload) -> float:
    return GPU_RUNTIME if load.gpu else RUNTIME


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


def _kept(method: CanonicalMethod, load: Workload) -> float:
    parameters, has_adapter = load.shape.parameters, method.block.lora is not None
    copies = 1 + (not has_adapter and (_has_reference(method) + isinstance(method, PpoMethod)))
    beside = FLOAT * _trained(method, load) if has_adapter else 0
    autocast = HALF * parameters if load.bf16 else 0  # autocast keeps the weights in bf16 during a pass
    return FLOAT * parameters * copies + beside + ADAMW * _trained(method, load) + autocast


def _trained(method: CanonicalMethod, load: Workload) -> int:
    """Parameters that learn: of PPO also the critic's."""
    adapter = method.block.lora
    one = load.shape.parameters if adapter is None else adapter_parameters(load.shape, adapter)
    return 2 * one if isinstance(method, PpoMethod) else one


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


def _passes(method: CanonicalMethod) -> int:
    """Micro batches that one optimizer step adds up."""
    h = method.hyperparameters
    rows = int(fixed(h.batch_size))
    if isinstance(h, SamplingHyperparameters):
        rows = rows * h.num_generations // h.num_minibatches
    return -(-rows // int(fixed(h.micro_batch_size)))


def _activations(method: CanonicalMethod, load: Workload, checkpointing: bool) -> float:
    """Bytes at the beginning of the backward pass: what all layers have kept, and what the loss or a layer adds.

    Counted in what autograd saves of a gated decoder with fused attention (no matrix of scores is kept), as Korthikanti
    et al. (arXiv:2205.05198) count for older ones. Checkpointing keeps each layer's input and one layer's insides. The
    critic of PPO goes through the same backward pass as its policy.
    """
    shape, h = load.shape, method.hyperparameters
    length = load.tokens + (h.max_completion_length if isinstance(h, SamplingHyperparameters) else 0)
    pair = 2 if isinstance(method, DpoMethod | RewardModelMethod) else 1
    tokens = int(fixed(h.micro_batch_size)) * pair * length
    models = 2 if isinstance(method, PpoMethod) else 1
    layer = _layer(shape, load, length, method.block.lora)
    backward = FLOAT * (3 * shape.intermediate + 2 * shape.hidden) * (MIXED if load.bf16 else 1)
    kept = FLOAT * shape.hidden if checkpointing else layer
    inside = tokens * (backward + (layer if checkpointing else 0))
    head = 0.0 if isinstance(method, RewardModelMethod) else _head(method, load, tokens)
    holes = models * _holes(method, load, checkpointing) * min(tokens, HOLED // (FLOAT * shape.intermediate)) * layer
    return tokens * (models * shape.layers * kept + 3 * FLOAT * shape.hidden) + max(head, inside) + holes


def _holes(method: CanonicalMethod, load: Workload, checkpointing: bool) -> float:
    """In layers. GPUs have an allocator of their own, of which nothing was measured."""
    if load.gpu:
        return 0.0
    if method.block.lora is not None:
        return HOLES["both" if checkpointing else "adapter"]
    return HOLES["checkpointing" if checkpointing else "plain"]


def _layer(shape: Shape, load: Workload, length: int, adapter: LoraAdapter | None = None) -> float:
    """Bytes that one layer keeps of one token: four arrays of the feed-forward part, three of either norm, queries,
    keys and values for every head, the attention's output, and a row of its mask."""
    floats: float = 4 * shape.intermediate + 6 * shape.hidden + 4 * shape.query + length
    floats += 2 * (shape.query + shape.key_value) if shape.normed else 0
    if adapter is not None:
        floats += 7 * adapter.rank
        floats += 1.25 * (5 * shape.hidden + shape.query + shape.intermediate) if adapter.dropout else 0
    return FLOAT * floats * (MIXED if load.bf16 else 1)


def _head(method: CanonicalMethod, load: Workload, tokens: int) -> float:
    """Bytes of the loss over the vocabulary, of which TRL makes a tile at a time, and of the output layer's gradient.

    With Triton, as on NVIDIA's GPUs, there is the tile alone, at its full width.
    """
    rows, width = min(tokens, TILE_TOKENS), min(load.shape.vocabulary, TILE_WIDTH)
    gradient = FLOAT * load.shape.vocabulary * load.shape.hidden if method.block.lora is None else 0
    if load.gpu:
        return rows * TILE_WIDTH * (HALF if load.bf16 else FLOAT) + gradient
    return rows * (max(PAGE, FLOAT * width) + FLOAT * TILES * width) + gradient


def _sampling(h: SamplingHyperparameters, load: Workload) -> float:
    return _writing(int(fixed(h.batch_size)) * h.num_generations, h.max_completion_length, load)


def _writing(completions: int, longest: int, load: Workload) -> float:
    """The cache of all completions, and four arrays as large as the vocabulary for each: logits, their normal form,
    probabilities and what is drawn from them."""
    length = load.tokens + longest
    cache = 2 * load.shape.key_value * load.shape.layers * length * (HALF if load.bf16 else FLOAT)
    return completions * (cache * (1 if load.gpu else GROWING) + 4 * FLOAT * load.shape.vocabulary)
