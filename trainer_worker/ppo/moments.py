"""Means and spreads: of the valid tokens of a batch on all processes, and of all rewards seen so far."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

Total = Callable[[Tensor], Tensor]
"""Adds up a tensor over all processes. With one process: the identity."""

SMALLEST_SPREAD = 1e-6
"""A standard deviation below this is taken for none at all."""


class Moments(NamedTuple):
    entries: Tensor
    mean: Tensor
    variance: Tensor
    """Of the tokens themselves (divided by their count)."""


def moments(x: Tensor, mask: Tensor, total: Total) -> Moments:
    """Of the entries of `x` where `mask` is 1, on all processes. Two passes, in float64: nothing cancels out."""
    x, mask = x.double(), mask.double()
    count, added = total(torch.stack([mask.sum(), (x * mask).sum()]))
    mean = added / count.clamp(min=1)
    variance = total(((x - mean) ** 2 * mask).sum()) / count.clamp(min=1)
    return Moments(count, mean, variance)


def whiten(x: Tensor, mask: Tensor, total: Total) -> Tensor:
    """Mean 0 and standard deviation 1 over the masked entries of all processes; 0 elsewhere, or where none differ."""
    found = moments(x, mask, total)
    spread = found.variance.sqrt()
    if spread < SMALLEST_SPREAD:
        return torch.zeros_like(x)
    return ((x - found.mean) / spread * mask).to(x.dtype)


def explained_variance(values: Tensor, returned: Tensor, mask: Tensor, total: Total) -> float:
    """1 - Var(returned - values) / Var(returned): 1 is foresight, 0 a constant, less is harm. NaN if none differ."""
    whole = moments(returned, mask, total).variance
    if whole.sqrt() < SMALLEST_SPREAD:
        return math.nan
    return float(1 - moments(returned - values, mask, total).variance / whole)


@dataclass
class Running:
    """Count, mean and variance of a stream, batch by batch (Chan, Golub and LeVeque 1979). Plain floats, for JSON."""

    count: float = 0.0
    mean: float = 0.0
    variance: float = 0.0

    def add(self, batch: Moments) -> None:
        count, mean, variance = (float(one) for one in batch)
        if count == 0:
            return
        together, apart = self.count + count, mean - self.mean
        squares = self.variance * self.count + variance * count + apart**2 * self.count * count / together
        self.mean += apart * count / together
        self.variance = squares / together
        self.count = together

    @property
    def spread(self) -> float:
        """Standard deviation; 1 as long as nothing differs, so that one may divide by it."""
        spread = math.sqrt(self.variance)
        return spread if spread >= SMALLEST_SPREAD else 1.0
