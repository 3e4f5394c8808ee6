"""Learning from the rewards of answers that the model itself samples."""

from typing import Annotated, Any, ClassVar, Literal

from pydantic import ConfigDict, Field, model_validator

from contracts import Contract
from contracts.method.common import BASIC, Auto, Hyperparameters, MethodBase, RewardedBlock, Shape
from contracts.method.presets import GRPO_PRESETS, PPO_PRESETS, described, filled


class SamplingHyperparameters(Hyperparameters):
    """What all reinforcement methods share: how answers are sampled, and how far one batch of them may lead."""

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
    num_iterations: int = Field(1, ge=1, le=16, title="Passes over a batch")
    """How often the same completions are learned from."""
    num_minibatches: int = Field(1, ge=1, le=64, title="Updates per pass")
    """Optimizer steps that the completions of one batch are divided into."""
    mask_truncated_completions: bool = Field(False, title="Leave out truncated completions")
    """Completions that hit the length limit do not count in the loss (DAPO)."""
    eval_samples: Annotated[int, Field(ge=1, le=64)] | Auto = Field("auto", title="Samples per held-out row")
    """Answers drawn for each held-out row. “auto” is one greedy answer."""

    @property
    def cycle(self) -> int:
        return self.num_iterations * self.num_minibatches


class GrpoHyperparameters(SamplingHyperparameters):
    """Group relative policy optimization (DeepSeekMath, arXiv:2402.03300)."""

    preset: Literal["grpo", "dapo", "dr_grpo", "gspo", "cispo"] | None = Field(
        None, title="Preset", json_schema_extra=BASIC | described(GRPO_PRESETS)
    )
    """Settings of a paper; what you set yourself stays. GRPO with KL (DeepSeekMath), DAPO, Dr. GRPO, GSPO, CISPO."""
    epsilon_high: float = Field(0.28, gt=0, le=10, title="Clip range, upper")
    """The same above 1. 0.28 keeps rare tokens alive (DAPO, arXiv:2503.14476)."""
    loss_type: Literal["dapo", "grpo", "dr_grpo", "bnpo", "cispo"] = Field("dapo", title="Loss")
    """How token losses are averaged: by the batch's tokens (dapo, bnpo), per answer (grpo), by a constant (dr_grpo)."""
    importance_sampling: Literal["token", "sequence"] = Field("token", title="Importance ratio")
    """Weigh each token by its own ratio, or all of an answer by one (GSPO, arXiv:2507.18071)."""
    scale_rewards: Literal["group", "batch", "none"] = Field("group", title="Scale rewards by")
    """Standard deviation by which advantages are divided. “none” avoids a bias to easy prompts (arXiv:2503.20783)."""
    max_resamples: int = Field(0, ge=0, le=20, title="Resample dull groups")
    """How often a group whose rewards are all alike is replaced by another prompt's (DAPO's dynamic sampling)."""
    overlong_buffer: float = Field(0.0, ge=0, le=1, title="Overlong buffer")
    """Last share of the longest completion in which a reward falls, by up to 1 (DAPO). 0: no such penalty."""

    @model_validator(mode="before")
    @classmethod
    def with_preset(cls, given: Any) -> Any:  # Any: what the request holds
        return filled(given, GRPO_PRESETS)


class RlooHyperparameters(SamplingHyperparameters):
    """REINFORCE with a leave-one-out baseline (Ahmadian et al. 2024, arXiv:2402.14740)."""

    beta: float = Field(0.05, ge=0, le=2, title="KL penalty (beta)", json_schema_extra=BASIC)
    """How hard the model is held to its starting point; taken from the reward. 0 needs no reference model."""
    normalize_advantages: bool = Field(False, title="Normalise advantages")
    """Give the batch's advantages mean 0 and standard deviation 1."""
    reward_clip: float | None = Field(None, gt=0, title="Reward clipping")
    """Rewards beyond plus or minus this are cut."""


class PpoHyperparameters(SamplingHyperparameters):
    """Proximal policy optimization with a critic (Schulman et al. 2017, arXiv:1707.06347)."""

    preset: Literal["ppo", "ppo_max"] | None = Field(
        None, title="Preset", json_schema_extra=BASIC | described(PPO_PRESETS)
    )
    """Settings of a paper; what you set yourself stays. PPO-max adds the stabilisers of arXiv:2307.04964."""
    num_generations: int = Field(1, ge=1, le=256, title="Completions per prompt", json_schema_extra=BASIC)
    """PPO needs no group: its critic is the baseline. More of them save prompts."""
    batch_size: Annotated[int, Field(ge=1, le=4096)] | Auto = Field("auto", title="Batch size", json_schema_extra=BASIC)
    """Prompts in one batch of completions. “auto” is 128."""
    num_minibatches: int = Field(8, ge=1, le=64, title="Updates per pass")
    """Optimizer steps that the completions of one batch are divided into. A critic needs many."""
    beta: float = Field(0.0, ge=0, le=2, title="KL penalty (beta)", json_schema_extra=BASIC)
    """Taken from each token's reward, times its log-ratio to the starting point. 0 needs no reference model."""
    gamma: float = Field(1.0, gt=0, le=1, title="Discount (gamma)")
    """How much a token counts for each token that follows it. 1 for rewards at the end of an answer."""
    gae_lambda: float = Field(0.95, ge=0, le=1, title="GAE lambda")
    """Between trust in the critic (0) and in what was really earned (1) (arXiv:1506.02438)."""
    critic_learning_rate: Annotated[float, Field(gt=0, le=1)] | Auto = Field("auto", title="Critic's learning rate")
    """“auto” is ten times the model's."""
    value_coefficient: float = Field(0.5, gt=0, le=10, title="Weight of the value loss")
    """How much the critic's error counts in the loss."""
    value_clip_range: float | None = Field(None, gt=0, title="Value clip range")
    """How far a value may move in one batch, in standard deviations of the rewards. Empty: as far as it likes."""
    critic_warmup_steps: Annotated[int, Field(ge=0)] | Auto = Field("auto", title="Warm-up of the critic")
    """First steps in which the critic learns alone: the policy has no numbers then. “auto” is a tenth of all steps."""
    normalize_advantages: bool = Field(True, title="Normalise advantages")
    """Give the batch's advantages mean 0 and standard deviation 1."""
    normalize_rewards: bool = Field(False, title="Normalise rewards")
    """Divide rewards by their running standard deviation."""
    reward_clip: float | None = Field(None, gt=0, title="Reward clipping")
    """Rewards beyond plus or minus this, once normalised, are cut."""
    entropy_coefficient: float = Field(0.0, ge=0, le=1, title="Entropy bonus")
    """Reward for staying undecided. Keeps a policy exploring."""
    target_kl: float | None = Field(None, gt=0, title="Target KL")
    """Once the policy has moved this far, it skips the batch's remaining updates (TRPO's trust region)."""

    @model_validator(mode="before")
    @classmethod
    def with_preset(cls, given: Any) -> Any:  # Any: what the request holds
        return filled(given, PPO_PRESETS)


class Grpo(RewardedBlock):
    hyperparameters: GrpoHyperparameters = GrpoHyperparameters()


class Rloo(RewardedBlock):
    hyperparameters: RlooHyperparameters = RlooHyperparameters()


class Ppo(RewardedBlock):
    hyperparameters: PpoHyperparameters = PpoHyperparameters()


class GrpoMethod(MethodBase):
    """Reinforcement learning from a grader, with the group's mean as baseline."""

    model_config = ConfigDict(title="GRPO")
    shape: ClassVar[Shape] = "prompt"
    is_reinforcement: ClassVar[bool] = True

    type: Literal["grpo"] = "grpo"
    grpo: Grpo = Grpo()


class RlooMethod(MethodBase):
    """Reinforcement learning from a grader, with the other answers to the prompt as baseline."""

    model_config = ConfigDict(title="RLOO")
    shape: ClassVar[Shape] = "prompt"
    is_reinforcement: ClassVar[bool] = True

    type: Literal["rloo"] = "rloo"
    rloo: Rloo = Rloo()


class PpoMethod(MethodBase):
    """Reinforcement learning from a grader, with a learned critic as baseline."""

    model_config = ConfigDict(title="PPO")
    shape: ClassVar[Shape] = "prompt"
    is_reinforcement: ClassVar[bool] = True

    type: Literal["ppo"] = "ppo"
    ppo: Ppo = Ppo()


class ReinforcementMethod(Contract):
    """OpenAI's word for reinforcement fine-tuning; here it is GRPO."""

    type: Literal["reinforcement"] = "reinforcement"
    reinforcement: Grpo = Grpo()

    def canonical(self) -> GrpoMethod:
        return GrpoMethod(grpo=self.reinforcement)
