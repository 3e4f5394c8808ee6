"""From the rewards of tokens to advantages and to what the critic shall predict. Tensors in, tensors out.

All tensors are (completions, tokens). Token t of a completion is an action, and `values[:, t]` is worth of the state in
which it was chosen. A mask is 1 on the tokens that were sampled; they come first, the padding after them.
"""

import torch
from torch import Tensor


def gae(rewards: Tensor, values: Tensor, mask: Tensor, gamma: float, lam: float) -> Tensor:
    """Generalised advantage estimates (Schulman et al. 2015, arXiv:1506.02438, equation 16). 0 where masked.

    A_t is the sum over k of (gamma * lam)^k (r_{t+k} + gamma V_{t+k+1} - V_{t+k}). The state after the last token of a
    completion is worth 0, also where the length limit cut it: the grader has judged the cut text, and nothing follows.
    """
    values, rewards = values * mask, rewards * mask
    advantages = torch.zeros_like(values)
    next_value = next_advantage = torch.zeros_like(values[:, 0])
    for t in range(values.size(1) - 1, -1, -1):
        surprise = rewards[:, t] + gamma * next_value - values[:, t]
        next_advantage = (surprise + gamma * lam * next_advantage) * mask[:, t]
        next_value = values[:, t]
        advantages[:, t] = next_advantage
    return advantages


def returns(rewards: Tensor, mask: Tensor, gamma: float) -> Tensor:
    """What was really earned from each token on, discounted by `gamma` a token. 0 where masked."""
    return gae(rewards, torch.zeros_like(rewards), mask, gamma, 1.0)


def token_rewards(scores: Tensor, mask: Tensor, log_ratio: Tensor | None, beta: float) -> Tensor:
    """A completion's score at its last token, and at every token `-beta` times its log-ratio to the reference.

    Args:
        scores: (completions,); what is NaN counts as 0, its completion should be masked.
        log_ratio: log p(token) of the policy that sampled, minus that of the reference (k1 below); None for no penalty.
    """
    rewards = torch.zeros(mask.shape, device=mask.device, dtype=scores.dtype)
    last = (mask.sum(1).long() - 1).clamp(min=0)
    rewards.scatter_(1, last.unsqueeze(1), scores.nan_to_num(0.0).unsqueeze(1))
    if log_ratio is not None:
        rewards = rewards - beta * log_ratio
    return rewards * mask
