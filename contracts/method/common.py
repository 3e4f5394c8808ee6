"""What every method has: an optimizer, an adapter if wanted, and the evaluator that scores held-out answers."""

from typing import Annotated, ClassVar, Literal

from pydantic import ConfigDict, Field, JsonValue, WithJsonSchema, model_validator

from contracts import Contract
from graders.schema import Grader

Auto = Literal["auto"]
BASIC: dict[str, JsonValue] = {"level": "basic"}
SWITCH_OR_AUTO = WithJsonSchema({"enum": ["auto", True, False]})
"""So that a form offers a choice of three."""


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
    use_rslora: bool = Field(False, title="Rank-stabilised")
    """Scale by alpha / √rank instead, which lets ranks above 64 learn (rsLoRA, arXiv:2312.03732)."""
    use_dora: bool = Field(False, title="DoRA")
    """Learn size and direction of each weight apart (arXiv:2402.09353). Closer to full training, and slower."""


class Hyperparameters(Contract):
    """What every method has. “auto” is resolved to a number when the job is created, and the job shows it."""

    n_epochs: Annotated[int, Field(ge=1, le=50)] | Auto = Field("auto", title="Epochs", json_schema_extra=BASIC)
    """How often the whole dataset is seen."""
    max_steps: int | None = Field(None, ge=1, title="Most steps", json_schema_extra=BASIC)
    """Stop after this many optimizer steps, whatever the number of epochs."""
    batch_size: Annotated[int, Field(ge=1, le=4096)] | Auto = Field("auto", title="Batch size", json_schema_extra=BASIC)
    """Rows of the dataset in one optimizer step. For reinforcement: prompts."""
    micro_batch_size: Annotated[int, Field(ge=1)] | Auto = Field("auto", title="Micro batch size")
    """Sequences that pass through the model at once. Smaller needs less memory; only KTO's KL changes with it."""
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
    gradient_checkpointing: Annotated[bool | Auto, SWITCH_OR_AUTO] = Field("auto", title="Gradient checkpointing")
    """Compute activations twice to save memory. Slower by a third. “auto” does where the memory asks for it."""
    eval_interval: Annotated[int, Field(ge=1)] | Auto = Field("auto", title="Steps between evaluations")
    """How often the held-out data is evaluated. It always is before the first and after the last step."""
    checkpoint_interval: Annotated[int, Field(ge=1)] | Auto = Field("auto", title="Steps between checkpoints")
    """How often the job can be resumed from."""

    @property
    def cycle(self) -> int:
        """Optimizer steps that learn from the same completions; 1 where nothing is sampled."""
        return 1


class RowHyperparameters(Hyperparameters):
    """Of the methods that learn from the answers that the rows hold."""

    max_length: int | None = Field(None, ge=8, title="Longest row")
    """Tokens kept of a row; what is longer is cut and counted. Empty: the model's context."""


class Block(Contract):
    """What stands under the method's own name."""

    hyperparameters: Hyperparameters = Hyperparameters()
    lora: LoraAdapter | None = None


class RewardedBlock(Block):
    """A method whose model answers can be scored while it trains."""

    grader: Grader | None = None
    """The evaluator, as JSON. Either this or a saved one by its name."""
    evaluator: str | None = Field(None, title="Evaluator")
    """A saved grader by name and version, like math@3. Without a version the newest is pinned."""

    @model_validator(mode="after")
    def one_reward(self) -> "RewardedBlock":
        if self.grader is not None and self.evaluator is not None:
            raise ValueError("give a grader or an evaluator, not both")
        return self


Shape = Literal["chat", "prompt", "preference", "labelled"]
Task = Literal["text", "reward"]
"""What a model does: it writes text, or it is a reward model and scores what others wrote."""


class MethodBase(Contract):
    """A method under its own name. What it needs stands on the class, so that nobody asks which one it is."""

    shape: ClassVar[Shape]
    """What the rows of its dataset must hold."""
    is_reinforcement: ClassVar[bool] = False
    """It samples answers and learns from their rewards: it needs an evaluator, and its batches count prompts."""

    makes: ClassVar[Task] = "text"
    """What its models do. A reward model can start from a text model, and not the other way."""

    type: str

    @property
    def block(self) -> Block:
        block: Block = getattr(self, self.type)  # the discriminator is the name of the block
        return block

    @property
    def hyperparameters(self) -> Hyperparameters:
        return self.block.hyperparameters

    @property
    def reward(self) -> RewardedBlock | None:
        return self.block if isinstance(self.block, RewardedBlock) else None
