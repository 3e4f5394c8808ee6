"""PPO's objectives, token by token. What is averaged over which tokens, the trainer decides.

All tensors are (completions, tokens); log-probabilities in nats.
"""

from typing import NamedTuple

import torch
from torch import Tensor


class Clipped(NamedTuple):
    """A loss per token, and 1 where clipping took its gradient away."""

    loss: Tensor
    was_clipped: Tensor


def policy_loss(logps: Tensor, old_logps: Tensor, advantages: Tensor, epsilon: float) -> Clipped:
    """The clipped surrogate, negated (arXiv:1707.06347, equation 7)."""
    ratio = torch.exp(logps - old_logps)
    free = ratio * advantages
    bounded = ratio.clamp(1 - epsilon, 1 + epsilon) * advantages
    return Clipped(-torch.min(free, bounded), (bounded < free).float())


def value_loss(values: Tensor, old_values: Tensor, targets: Tensor, clip_range: float | None) -> Clipped:
    """Half the squared error; a value that moved further than `clip_range` from its old one earns nothing by it.

    As in PPO-max (arXiv:2307.04964, section 5.3.2) and OpenAI's first implementation. All in the critic's own units.
    """
    free = (values - targets) ** 2
    if clip_range is None:
        return Clipped(0.5 * free, torch.zeros_like(free))
    moved = old_values + (values - old_values).clamp(-clip_range, clip_range)
    bounded = (moved - targets) ** 2
    return Clipped(0.5 * torch.max(free, bounded), (bounded > free).float())


def k1(logps: Tensor, other_logps: Tensor) -> Tensor:
    """Log-ratio: its mean over tokens sampled from the first is the KL divergence, without bias; one may be below 0."""
    return logps - other_logps


def k3(logps: Tensor, old_logps: Tensor) -> Tensor:
    """KL(old || new) from tokens that old sampled: r - 1 - log r, never below 0 (joschu.net/blog/kl-approx.html)."""
    log_ratio = logps - old_logps
    return torch.exp(log_ratio) - 1 - log_ratio
