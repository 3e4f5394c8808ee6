"""The critic: how much reward is to be expected, from each token of an answer on."""

import copy
from typing import Any

import torch
from peft import LoraConfig, inject_adapter_in_model
from torch import Tensor, nn
from transformers import PreTrainedModel
from trl.trainer.utils import disable_dropout_in_model

from contracts.method import LoraAdapter
from trainer_worker.ppo.moments import Moments, Running


class Critic(nn.Module):
    """A backbone with a head of one number. What the head says is in units of `seen`: spreads around its mean.

    So its task looks the same whether a grader gives 1 or 100 points. When `seen` changes, the head is changed such
    that the values stay as they were (PopArt, van Hasselt et al. 2016, arXiv:1602.07714).
    """

    def __init__(self, backbone: Any, width: int) -> None:  # Any: a model without its head, adapted or not
        super().__init__()
        self.backbone = backbone
        self.head = nn.Linear(width, 1)
        self.seen = Running()
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    def forward(self, ids: Tensor, mask: Tensor, keep: int) -> Tensor:
        """Values in the critic's units, (completions, keep), of the states in which the last `keep` tokens were chosen.

        Args:
            ids: (completions, prompt + completion tokens), prompts padded on the left, completions on the right.
            mask: the same shape, 0 on padding.
        """
        hidden = self.backbone(input_ids=ids, attention_mask=mask, use_cache=False).last_hidden_state
        with torch.autocast(hidden.device.type, enabled=False):
            said: Tensor = self.head(hidden[:, -keep - 1 : -1].float()).squeeze(-1)
        return said

    def to_rewards(self, said: Tensor) -> Tensor:
        """From the critic's units to the rewards'."""
        return said * self.seen.spread + self.seen.mean

    def from_rewards(self, values: Tensor) -> Tensor:
        return (values - self.seen.mean) / self.seen.spread

    @torch.no_grad()
    def see(self, batch: Moments) -> None:
        """Take what was really earned into the units, and leave all values as they are.

        But the first batch: a critic that has learned nothing says the mean.
        """
        is_first, mean, spread = self.seen.count == 0, self.seen.mean, self.seen.spread
        self.seen.add(batch)
        if is_first:
            return
        self.head.weight.mul_(spread / self.seen.spread)
        self.head.bias.mul_(spread).add_(mean - self.seen.mean).div_(self.seen.spread)

    def learned(self) -> dict[str, Tensor]:
        """What a checkpoint has to hold: the weights that are trained."""
        return {name: weight.detach() for name, weight in self.named_parameters() if weight.requires_grad}


def critic_of(model: PreTrainedModel, adapter: LoraAdapter | None, seed: int) -> Critic:
    """A critic that starts with what the policy knows.

    Without an adapter it gets a copy of the policy's backbone. Beside a policy that only learns an adapter it learns an
    adapter too, on the very same frozen weights: the backbone is in memory once.
    """
    backbone = model.base_model
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        mine = copy.deepcopy(backbone) if adapter is None else _adapted(backbone, adapter)
        critic = Critic(mine, model.config.get_text_config().hidden_size)
    disable_dropout_in_model(critic)
    return critic.train()


def _adapted(backbone: Any, adapter: LoraAdapter) -> Any:
    """New modules over the same weights, with adapters of the same size on all linear layers."""
    same = {id(weight): weight for weight in backbone.parameters()}
    mine = copy.deepcopy(backbone, memo=same)
    config = LoraConfig(r=adapter.rank, lora_alpha=adapter.alpha, target_modules="all-linear")
    return inject_adapter_in_model(config, mine)
