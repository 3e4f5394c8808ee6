"""PPO's arithmetic against the slowest, plainest way to write each formula down."""

import math
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from trainer_worker.ppo.advantages import gae, returns, token_rewards
from trainer_worker.ppo.losses import k1, k3, policy_loss, value_loss
from trainer_worker.ppo.moments import Running, explained_variance, moments, whiten

NUMBERS = st.floats(-5, 5, width=32)
SHARES = st.floats(0, 1, width=32)
LENGTHS = st.lists(st.integers(0, 6), min_size=1, max_size=4)
"""Valid tokens of each completion."""


def one_process(tensor: Tensor) -> Tensor:
    return tensor


def masks(lengths: list[int]) -> Tensor:
    longest = max(1, *lengths)
    return torch.tensor([[float(t < length) for t in range(longest)] for length in lengths])


def table(draw: st.DrawFn, mask: Tensor) -> Tensor:
    rows, columns = mask.shape
    numbers = draw(st.lists(NUMBERS, min_size=rows * columns, max_size=rows * columns))
    return torch.tensor(numbers, dtype=torch.float64).view(rows, columns)


@st.composite
def batches(draw: st.DrawFn) -> tuple[Tensor, Tensor, Tensor]:
    mask = masks(draw(LENGTHS))
    return table(draw, mask), table(draw, mask), mask


def plain_advantage(rewards: list[float], values: list[float], gamma: float, lam: float, t: int) -> float:
    """Equation 16 of arXiv:1506.02438, as it stands there, for one completion."""
    worth = [*values, 0.0]
    surprises = [rewards[k] + gamma * worth[k + 1] - worth[k] for k in range(len(rewards))]
    return sum((gamma * lam) ** (k - t) * surprises[k] for k in range(t, len(rewards)))


@given(batches(), SHARES, SHARES)
def test_advantages_are_those_of_the_paper(batch: Any, gamma: float, lam: float) -> None:
    rewards, values, mask = batch
    found = gae(rewards, values, mask, gamma, lam)
    for n, length in enumerate(mask.sum(1).int().tolist()):
        earned, worth = rewards[n, :length].tolist(), values[n, :length].tolist()
        expected = [plain_advantage(earned, worth, gamma, lam, t) for t in range(length)]
        assert found[n, :length].tolist() == pytest.approx(expected, abs=1e-6)
        assert not found[n, length:].any()


@given(batches(), SHARES)
def test_returns_are_discounted_sums_of_what_follows(batch: Any, gamma: float) -> None:
    rewards, _, mask = batch
    found = returns(rewards, mask, gamma)
    for n, length in enumerate(mask.sum(1).int().tolist()):
        for t in range(length):
            expected = sum(gamma ** (k - t) * float(rewards[n, k]) for k in range(t, length))
            assert float(found[n, t]) == pytest.approx(expected, abs=1e-6)


@given(batches(), SHARES)
def test_with_lambda_one_an_advantage_is_the_return_beyond_the_value(batch: Any, gamma: float) -> None:
    rewards, values, mask = batch
    found = gae(rewards, values, mask, gamma, 1.0)
    assert torch.allclose(found, (returns(rewards, mask, gamma) - values) * mask, atol=1e-5)


@given(batches())
def test_padding_changes_no_advantage(batch: Any) -> None:
    rewards, values, mask = batch
    noise = torch.full_like(rewards, 1e6) * (1 - mask)
    assert torch.equal(gae(rewards, values, mask, 0.9, 0.9), gae(rewards + noise, values - noise, mask, 0.9, 0.9))


def test_the_score_comes_with_the_last_token_and_the_penalty_with_each() -> None:
    mask = torch.tensor([[1.0, 1.0, 0.0], [1.0, 1.0, 1.0], [0.0, 0.0, 0.0]])
    log_ratio = torch.tensor([[0.5, -1.0, 9.0], [0.0, 0.0, 2.0], [9.0, 9.0, 9.0]])
    found = token_rewards(torch.tensor([1.0, 0.0, math.nan]), mask, log_ratio, beta=0.1)
    assert torch.allclose(found, torch.tensor([[-0.05, 1.1, 0.0], [0.0, 0.0, -0.2], [0.0, 0.0, 0.0]]))
    assert token_rewards(torch.tensor([2.0, 3.0, 4.0]), mask, None, 0.1).sum() == 5


def plain_policy_loss(logp: float, old: float, advantage: float, epsilon: float) -> float:
    """Equation 7 of arXiv:1707.06347 for one token, negated."""
    ratio = math.exp(logp - old)
    return -min(ratio * advantage, min(max(ratio, 1 - epsilon), 1 + epsilon) * advantage)


@given(NUMBERS, NUMBERS, NUMBERS, st.floats(0.01, 0.9))
def test_the_policys_loss_is_the_papers(logp: float, old: float, advantage: float, epsilon: float) -> None:
    policy, sampler, gained = (torch.tensor([[number]], dtype=torch.float64) for number in (logp, old, advantage))
    found = policy_loss(policy, sampler, gained, epsilon)
    assert float(found.loss) == pytest.approx(plain_policy_loss(logp, old, advantage, epsilon), rel=1e-6, abs=1e-9)


@given(NUMBERS, NUMBERS, NUMBERS, st.floats(0.01, 0.9))
def test_a_token_counts_as_clipped_when_it_has_no_gradient(
    logp: float, old: float, advantage: float, epsilon: float
) -> None:
    policy = torch.tensor([[logp]], dtype=torch.float64, requires_grad=True)
    found = policy_loss(policy, torch.tensor([[old]]), torch.tensor([[advantage]]), epsilon)
    (gradient,) = torch.autograd.grad(found.loss.sum(), policy)
    if found.was_clipped:
        assert float(gradient) == 0


@given(NUMBERS, NUMBERS, NUMBERS, st.one_of(st.none(), st.floats(0.01, 2)))
def test_the_values_loss_is_the_larger_of_two_squares(
    value: float, old: float, target: float, clip: float | None
) -> None:
    said, before, aim = (torch.tensor([[number]], dtype=torch.float64) for number in (value, old, target))
    near = value if clip is None else min(max(value, old - clip), old + clip)
    expected = 0.5 * max((value - target) ** 2, (near - target) ** 2)
    assert float(value_loss(said, before, aim, clip).loss) == pytest.approx(expected, rel=1e-5, abs=1e-6)


@given(NUMBERS, NUMBERS)
def test_estimates_of_kl_are_as_defined(logp: float, other: float) -> None:
    mine, theirs = torch.tensor([logp], dtype=torch.float64), torch.tensor([other], dtype=torch.float64)
    assert float(k1(mine, theirs)) == logp - other
    assert float(k3(mine, theirs)) == pytest.approx(math.exp(logp - other) - 1 - (logp - other), abs=1e-6)
    assert float(k3(mine, theirs)) >= -1e-12


@given(st.lists(st.tuples(st.floats(0.05, 1), st.floats(0.05, 1)), min_size=2, max_size=6))
def test_estimates_of_kl_have_the_divergence_as_their_mean(weights: list[tuple[float, float]]) -> None:
    p, q = (torch.tensor(one, dtype=torch.float64) for one in zip(*weights, strict=True))
    p, q = p / p.sum(), q / q.sum()
    divergence = float((p * (p / q).log()).sum())
    assert float((p * k1(p.log(), q.log())).sum()) == pytest.approx(divergence, abs=1e-9)
    assert float((p * k3(q.log(), p.log())).sum()) == pytest.approx(divergence, abs=1e-9)


@given(batches())
def test_moments_are_those_of_the_valid_tokens(batch: Any) -> None:
    x, _, mask = batch
    valid = [float(one) for one in x[mask > 0]]
    found = moments(x, mask, one_process)
    assert int(found.entries) == len(valid)
    if valid:
        mean = sum(valid) / len(valid)
        assert float(found.mean) == pytest.approx(mean, abs=1e-6)
        assert float(found.variance) == pytest.approx(sum((v - mean) ** 2 for v in valid) / len(valid), abs=1e-6)


@given(batches())
def test_whitened_tokens_have_mean_zero_and_spread_one(batch: Any) -> None:
    x, _, mask = batch
    found = moments(white := whiten(x, mask, one_process), mask, one_process)
    assert not white[mask == 0].any()
    if moments(x, mask, one_process).variance > 1e-6:
        assert float(found.mean) == pytest.approx(0, abs=1e-6)
        assert float(found.variance) == pytest.approx(1, abs=1e-6)
    assert white.isfinite().all()


@given(batches(), st.integers(0, 4))
def test_a_batch_is_whitened_alike_on_one_process_and_on_two(batch: Any, first: int) -> None:
    x, _, mask = batch
    parts = [(x[:first], mask[:first]), (x[first:], mask[first:])]
    whole = whiten(x, mask, one_process)
    found = [_whiten_beside(*parts[n], parts[1 - n]) for n in (0, 1)]
    assert torch.allclose(torch.cat(found), whole, atol=1e-5)


def _whiten_beside(x: Tensor, mask: Tensor, other: tuple[Tensor, Tensor]) -> Tensor:
    """As two processes do it: what the other one adds up is what it would have sent."""
    theirs, their_mask = other[0].double(), other[1].double()
    sent = [torch.stack([their_mask.sum(), (theirs * their_mask).sum()])]

    def total(mine: Tensor) -> Tensor:
        if sent:
            both = mine + sent.pop()
            sent_mean = both[1] / both[0].clamp(min=1)
            squares.append(((theirs - sent_mean) ** 2 * their_mask).sum())
            return both
        return mine + squares.pop()

    squares: list[Tensor] = []
    return whiten(x, mask, total)


@given(batches())
def test_foresight_explains_all_and_a_constant_nothing(batch: Any) -> None:
    returned, _, mask = batch
    if moments(returned, mask, one_process).variance.sqrt() < 1e-3:
        return
    assert explained_variance(returned, returned, mask, one_process) == 1
    assert explained_variance(torch.full_like(returned, 3.0), returned, mask, one_process) == pytest.approx(0, abs=1e-6)
    assert explained_variance(-returned, returned, mask, one_process) == pytest.approx(-3, abs=1e-6)


def test_where_no_return_differs_nothing_can_be_explained() -> None:
    same = torch.ones(2, 3)
    assert math.isnan(explained_variance(torch.rand(2, 3), same, same, one_process))


@given(st.lists(st.lists(NUMBERS, max_size=8), min_size=1, max_size=5))
def test_running_moments_are_those_of_all_batches_together(streams: list[list[float]]) -> None:
    seen = Running()
    for stream in streams:
        x = torch.tensor(stream, dtype=torch.float64)
        seen.add(moments(x, torch.ones_like(x), one_process))
    together = [number for stream in streams for number in stream]
    assert seen.count == len(together)
    if together:
        mean = sum(together) / len(together)
        assert seen.mean == pytest.approx(mean, abs=1e-9)
        assert seen.variance == pytest.approx(sum((n - mean) ** 2 for n in together) / len(together), abs=1e-9)
