"""Group relative policy optimization (DeepSeekMath, arXiv:2402.03300) with TRL, rewarded by a grader."""

from trl import GRPOConfig, GRPOTrainer

from contracts.method import GrpoHyperparameters, GrpoMethod
from trainer_worker.callbacks import Watch
from trainer_worker.methods.base import Base
from trainer_worker.methods.sampling import Rewarded, assemble, sampling_arguments


class Trainer(Rewarded, GRPOTrainer):  # type: ignore[misc]  # TRL has no types
    """TRL's trainer, which hands on every batch of completions with its advantages."""


def build(base: Base, method: GrpoMethod) -> tuple[Trainer, Watch]:
    return assemble(Trainer, base, method, _config(base, method.grpo.hyperparameters))


def _config(base: Base, h: GrpoHyperparameters) -> GRPOConfig:
    return GRPOConfig(
        **sampling_arguments(base, h),
        epsilon_high=h.epsilon_high,
        loss_type=h.loss_type,
        scale_rewards=h.scale_rewards,
    )
