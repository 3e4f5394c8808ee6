"""REINFORCE with a leave-one-out baseline (Ahmadian et al. 2024, arXiv:2402.14740) with TRL, rewarded by a grader."""

from trl import RLOOConfig, RLOOTrainer

from contracts.method import RlooHyperparameters, RlooMethod
from trainer_worker.callbacks import Watch
from trainer_worker.methods.base import Base
from trainer_worker.methods.sampling import Rewarded, assemble, sampling_arguments


class Trainer(Rewarded, RLOOTrainer):  # type: ignore[misc]  # TRL has no types
    """TRL's trainer, which hands on every batch of completions with its advantages."""


def build(base: Base, method: RlooMethod) -> tuple[Trainer, Watch]:
    return assemble(Trainer, base, method, _config(base, method.rloo.hyperparameters))


def _config(base: Base, h: RlooHyperparameters) -> RLOOConfig:
    return RLOOConfig(
        **sampling_arguments(base, h),
        normalize_advantages=h.normalize_advantages,
        reward_clip_range=None if h.reward_clip is None else (-h.reward_clip, h.reward_clip),
    )
