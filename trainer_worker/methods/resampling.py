"""Dynamic sampling: groups that teach nothing are replaced by other prompts' groups (DAPO, arXiv:2503.14476, 3.2)."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import blake2b
from itertools import islice
from typing import Any

import orjson
import torch
from torch import Tensor

from graders import Grade
from trainer_worker.decoding import Sampled

Row = dict[str, Any]


@dataclass(frozen=True)
class Rollout:
    """A row of the dataset, one completion to it, and its grade."""

    row: Row
    drawn: Sampled
    grade: Grade


@dataclass(frozen=True)
class Resampling:
    """Which prompts come instead depends on the seed, the step and the batch alone, so a resumed job draws the same.

    Several processes hold a part of the batch each, one after the other; each sees all scores and decides alike.
    """

    most: int
    """Times that dull groups are replaced. What is dull after that stays."""
    group_size: int
    dataset: Any  # a Dataset, which has no types
    seed: int
    roll: Callable[[list[Row]], list[Rollout]]
    """Samples and grades one completion for each row; none for none."""
    gather: Callable[[Tensor], Tensor]
    """Joins the processes' tensors, in the order of the processes."""
    process: int

    def __call__(self, rows: list[Row], step: int) -> tuple[list[Rollout], dict[str, float]]:
        """A rollout for every row, or for the one that replaces it. And what to report, of all processes together.

        `resampling/sampled` and `resampling/dropped` count completions, `resampling/share` is that of replaced groups.
        """
        batch = self.roll(rows)
        others = self._others(rows, step)
        dropped = 0
        replaced: set[int] = set()
        for _ in range(self.most):
            dull = dull_groups(self._scores(batch), self.group_size)
            fresh = dict(zip(dull, islice(others, len(dull)), strict=False))
            if not fresh:
                break
            self._replace(batch, fresh)
            replaced |= fresh.keys()
            dropped += len(fresh) * self.group_size
        groups = len(self._scores(batch)) // self.group_size
        sampled = groups * self.group_size + dropped
        share = len(replaced) / groups
        return batch, {"resampling/sampled": sampled, "resampling/dropped": dropped, "resampling/share": share}

    def _replace(self, batch: list[Rollout], fresh: dict[int, Row]) -> None:
        """Put the groups of the fresh rows in their places, as far as these are this process's."""
        first = self.process * len(batch)
        places = {n: fresh[group] for n in range(len(batch)) if (group := (first + n) // self.group_size) in fresh}
        for n, rollout in zip(places, self.roll(list(places.values())), strict=True):
            batch[n] = rollout

    def _scores(self, batch: list[Rollout]) -> list[float]:
        """Of all processes; NaN where there is none."""
        scores = [float("nan") if one.grade.score is None else one.grade.score for one in batch]
        found: list[float] = self.gather(torch.tensor(scores, dtype=torch.float64)).tolist()
        return found

    def _others(self, rows: list[Row], step: int) -> Iterator[Row]:
        """The dataset's other rows in a random order that belongs to this step."""
        used = set(self.gather(torch.tensor([fingerprint(row) for row in rows])).tolist())
        random = torch.Generator().manual_seed(self.seed * 1_000_003 + step)
        for n in torch.randperm(len(self.dataset), generator=random).tolist():
            if fingerprint(row := self.dataset[n]) not in used:
                yield row


def dull_groups(scores: list[float], size: int) -> list[int]:
    """Numbers of the groups in which no two scores differ. What was not scored (NaN) does not count."""
    groups = [scores[n : n + size] for n in range(0, len(scores), size)]
    return [n for n, group in enumerate(groups) if len({score for score in group if score == score}) < 2]


def fingerprint(row: Row) -> int:
    """A number of 63 bits that tells rows apart."""
    return int.from_bytes(blake2b(orjson.dumps(row), digest_size=8).digest(), "big") >> 1
