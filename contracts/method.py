"""How to train. One class a method: its fields are the form, the REST body, the docs and the worker's arguments.

Shapes follow OpenAI's fine-tuning API (`method.<type>.hyperparameters`, numbers or "auto"); what OpenAI has no
word for stands beside it under the name the field uses.
"""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field, JsonValue, model_validator

from contracts import Contract
from graders.schema import Grader

Auto = Literal["auto"]
BASIC: dict[str, JsonValue] = {"level": "basic"}


class LoraAdapter(Contract):
    """A low-rank adapter trained in place of the weights (Hu et al. 2021, arXiv:2106.09685)."""

    model_config = ConfigDict(title="LoRA adapter")

    rank: int = Field(16, ge=1, le=512, title="Rank", json_schema_extra=BASIC)
    """Size of the adapter. Higher learns more and takes more memory."""
    alpha: float = Field(32, gt=0, title="Alpha")
    """Strength of the adapter; the update is scaled by alpha / rank. Twice the rank is a good start."""
    dropout: float = Field(0.0, ge=0, lt=1, title="Dropout")
    """Share of the adapter's inputs left out at random. 0.05 helps on small datasets."""
    targets: tuple[str, ...] | Literal["all-linear"] = Field("all-linear", title="Target layers")
    """Layers that get an adapter: “all-linear”, or names such as q_proj."""


class Hyperparameters(Contract):
    """What every method has. “auto” is resolved to a number when the job is created, and the job shows it."""

    n_epochs: Annotated[int, Field(ge=1, le=50)] | Auto = Field("auto", title="Epochs", json_schema_extra=BASIC)
    """How often the whole dataset is seen."""
    max_steps: int | None = Field(None, ge=1, title="Most steps", json_schema_extra=BASIC)
    """Stop after this many optimizer steps, whatever the number of epochs."""
    batch_size: Annotated[int, Field(ge=1, le=4096)] | Auto = Field("auto", title="Batch size", json_schema_extra=BASIC)
    """Rows of the dataset in one optimizer step. For reinforcement: prompts."""
    micro_batch_size: Annotated[int, Field(ge=1)] | Auto = Field("auto", title="Micro batch size")
    """Sequences that pass through the model at once. Smaller needs less memory and changes no result."""
    learning_rate: Annotated[float, Field(gt=0, le=1)] | Auto = Field(
        "auto", title="Learning rate", json_schema_extra=BASIC
    )
    """Size of an optimizer step. “auto” chooses by method, adapter and model size."""
    learning_rate_multiplier: Annotated[float, Field(gt=0)] | Auto = Field("auto", title="Learning rate multiplier")
    """Scales the learning rate, as in OpenAI's API. “auto” is 1."""
    lr_scheduler: Literal["linear", "cosine", "constant"] = Field("linear", title="Schedule")
    """How the learning rate goes on after the warm-up."""
    warmup_ratio: float = Field(0.0, ge=0, le=0.5, title="Warm-up")
    """Share of the steps over which the learning rate rises from zero."""
    weight_decay: float = Field(0.0, ge=0, le=1, title="Weight decay")
    """Pull of the weights towards zero (AdamW)."""
    max_grad_norm: float = Field(1.0, gt=0, title="Gradient clipping")
    """Longest gradient that is let through."""
    precision: Literal["auto", "fp32", "bf16"] = Field("auto", title="Precision")
    """Number format of the forward and backward pass. “auto” takes bf16 where the GPU has it."""
    gradient_checkpointing: bool = Field(False, title="Gradient checkpointing")
    """Compute activations twice to save memory. Slower by a third."""
    eval_interval: Annotated[int, Field(ge=1)] | Auto = Field("auto", title="Steps between evaluations")
    """How often the held-out data is evaluated. It always is before the first and after the last step."""
    checkpoint_interval: Annotated[int, Field(ge=1)] | Auto = Field("auto", title="Steps between checkpoints")
    """How often the job can be resumed from."""


class SupervisedHyperparameters(Hyperparameters):
    """Cross-entropy on the assistant's answers."""

    max_length: int | None = Field(None, ge=8, title="Longest row")
    """Tokens kept of a row; what is longer is cut and counted. Empty: the model's context."""


class GrpoHyperparameters(Hyperparameters):
    """Group relative policy optimization (DeepSeekMath, arXiv:2402.03300)."""

    num_generations: int = Field(8, ge=2, le=256, title="Completions per prompt", json_schema_extra=BASIC)
    """Size of a group. The mean reward of the group is the baseline."""
    max_completion_length: int = Field(256, ge=1, le=131072, title="Longest completion", json_schema_extra=BASIC)
    """Tokens after which a completion is cut off."""
    temperature: float = Field(1.0, gt=0, le=2, title="Temperature", json_schema_extra=BASIC)
    """Spread of the sampling. Below 0.7 the answers of a group resemble each other and little is learned."""
    top_p: float = Field(1.0, gt=0, le=1, title="Top p")
    """Sample from the most likely tokens that together have this probability."""
    beta: float = Field(0.0, ge=0, le=2, title="KL penalty (beta)", json_schema_extra=BASIC)
    """How hard the model is held to its starting point. 0 needs no reference model."""
    epsilon: float = Field(0.2, gt=0, lt=1, title="Clip range")
    """How far the policy may move from the one that sampled, below 1."""
    epsilon_high: float = Field(0.28, gt=0, le=10, title="Clip range, upper")
    """The same above 1. 0.28 keeps rare tokens alive (DAPO, arXiv:2503.14476)."""
    loss_type: Literal["dapo", "grpo", "dr_grpo", "bnpo"] = Field("dapo", title="Loss")
    """How token losses are averaged: by the batch's tokens (dapo, bnpo), per answer (grpo), by a constant (dr_grpo)."""
    scale_rewards: Literal["group", "batch", "none"] = Field("group", title="Scale rewards by")
    """Standard deviation by which advantages are divided."""
    num_iterations: int = Field(1, ge=1, le=16, title="Updates per batch")
    """How often the same completions are learned from."""
    mask_truncated_completions: bool = Field(False, title="Leave out truncated completions")
    """Completions that hit the length limit do not count in the loss (DAPO)."""
    eval_samples: Annotated[int, Field(ge=1, le=64)] | Auto = Field("auto", title="Samples per held-out row")
    """Answers drawn for each held-out row. “auto” is one greedy answer."""


class Full(Contract):
    hyperparameters: SupervisedHyperparameters = SupervisedHyperparameters()


class Lora(Contract):
    hyperparameters: SupervisedHyperparameters = SupervisedHyperparameters()
    lora: LoraAdapter = LoraAdapter()


class Supervised(Contract):
    hyperparameters: SupervisedHyperparameters = SupervisedHyperparameters()
    lora: LoraAdapter | None = None


class Grpo(Contract):
    grader: Grader | None = None
    """The reward, as JSON. Either this or an evaluator."""
    evaluator: str | None = Field(None, title="Evaluator")
    """A saved grader by name and version, like math@3. Without a version the newest is pinned."""
    hyperparameters: GrpoHyperparameters = GrpoHyperparameters()
    lora: LoraAdapter | None = None

    @model_validator(mode="after")
    def one_reward(self) -> "Grpo":
        if self.grader is not None and self.evaluator is not None:
            raise ValueError("give a grader or an evaluator, not both")
        return self


class FullMethod(Contract):
    """Supervised fine-tuning of all weights."""

    model_config = ConfigDict(title="Full fine-tuning")

    type: Literal["full"] = "full"
    full: Full = Full()


class LoraMethod(Contract):
    """Supervised fine-tuning of a low-rank adapter."""

    model_config = ConfigDict(title="LoRA")

    type: Literal["lora"] = "lora"
    lora: Lora = Lora()


class SupervisedMethod(Contract):
    """OpenAI's word: `lora` when a lora block is given, `full` otherwise."""

    type: Literal["supervised"] = "supervised"
    supervised: Supervised = Supervised()

    def canonical(self) -> "FullMethod | LoraMethod":
        block = self.supervised
        if block.lora is not None:
            return LoraMethod(lora=Lora(hyperparameters=block.hyperparameters, lora=block.lora))
        return FullMethod(full=Full(hyperparameters=block.hyperparameters))


class GrpoMethod(Contract):
    """Reinforcement learning from a grader, with the group's mean as baseline."""

    model_config = ConfigDict(title="GRPO")

    type: Literal["grpo"] = "grpo"
    grpo: Grpo = Grpo()


class ReinforcementMethod(Contract):
    """OpenAI's word for reinforcement fine-tuning; here it is GRPO."""

    type: Literal["reinforcement"] = "reinforcement"
    reinforcement: Grpo = Grpo()

    def canonical(self) -> GrpoMethod:
        return GrpoMethod(grpo=self.reinforcement)


Method = Annotated[
    FullMethod | LoraMethod | SupervisedMethod | GrpoMethod | ReinforcementMethod, Field(discriminator="type")
]
CanonicalMethod = Annotated[FullMethod | LoraMethod | GrpoMethod, Field(discriminator="type")]


def canonical(method: Method) -> CanonicalMethod:
    """The method under its own name: OpenAI's two words are resolved."""
    if isinstance(method, SupervisedMethod | ReinforcementMethod):
        return method.canonical()
    return method
