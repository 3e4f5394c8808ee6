"""Proximal policy optimization (Schulman et al. 2017, arXiv:1707.06347), rewarded by a grader."""

from contracts.method import PpoMethod
from trainer_worker.callbacks import Watch
from trainer_worker.methods.base import Base
from trainer_worker.methods.sampling import Rewarded, assemble, sampling_arguments
from trainer_worker.ppo.critic import critic_of
from trainer_worker.ppo.trainer import PpoConfig, PpoTrainer


class Trainer(Rewarded, PpoTrainer):
    """Our trainer, which hands on every batch of completions with its advantages."""


def build(base: Base, method: PpoMethod) -> tuple[Trainer, Watch]:
    h = method.ppo.hyperparameters
    critic = critic_of(base.model, method.ppo.lora, base.assignment.spec.seed)
    config = PpoConfig(**sampling_arguments(base, h))
    return assemble(Trainer, base, method, config, critic=critic, settings=h)
