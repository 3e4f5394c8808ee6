"""REINFORCE with a leave-one-out baseline (Ahmadian et al. 2024, arXiv:2402.14740) with TRL, rewarded by a grader."""

from typing import Any

from trl import RLOOConfig, RLOOTrainer

from contracts.method import RlooHyperparameters, RlooMethod
from trainer_worker.callbacks import Watch
from trainer_worker.methods.base import Base
from trainer_worker.methods.sampling import Rewarded, assemble, sampling_arguments


class Trainer(Rewarded, RLOOTrainer):  # type: ignore[misc]  # TRL has no types
    """TRL's trainer. It asks for the ids of completions alone, and for the old policy's log-probs of every batch."""

    wants_old_logprobs = True

    def _generate_single_turn(self, prompt_ids: list[list[int]], *_: Any, **__: Any) -> list[list[int]]:
        ids: list[list[int]] = super()._generate_single_turn(prompt_ids)[0]
        return ids


def build(base: Base, method: RlooMethod) -> tuple[Trainer, Watch]:
    return assemble(Trainer, base, method, _config(base, method.rloo.hyperparameters))


def _config(base: Base, h: RlooHyperparameters) -> RLOOConfig:
    return RLOOConfig(
        **sampling_arguments(base, h),
        normalize_advantages=h.normalize_advantages,
        reward_clip_range=None if h.reward_clip is None else (-h.reward_clip, h.reward_clip),
    )
