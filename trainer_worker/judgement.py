"""What a model thinks of given answers: how likely they are to it, or which score its head gives them."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

import torch
from datasets import Dataset
from transformers import PreTrainedModel

from trainer_worker.data import IGNORED
from trainer_worker.evaluate import Findings, mean_of_each

Measure = Callable[[Any, torch.Tensor, torch.Tensor, torch.Tensor], torch.Tensor]
"""(model, input ids, attention mask, labels), each (answers, tokens) and padded on the right -> a number an answer."""


@dataclass(frozen=True)
class Answers:
    """Prompts and answers to them, in tokens."""

    prompts: Sequence[list[int]]
    answers: Sequence[list[int]]

    def __len__(self) -> int:
        return len(self.answers)

    @property
    def lengths(self) -> torch.Tensor:
        """Tokens of every answer."""
        return torch.tensor([len(answer) for answer in self.answers])


def answers_in(rows: Dataset, column: str) -> Answers:
    return Answers(rows["prompt_ids"][:], rows[column][:])


@dataclass(frozen=True)
class Reading:
    """How answers pass through a model: in batches of like length, so that little padding is computed."""

    pad_id: int
    batch_size: int
    between_batches: Callable[[], None] = lambda: None

    @torch.no_grad()
    def __call__(self, model: PreTrainedModel, answers: Answers, measure: Measure) -> torch.Tensor:
        """What is measured of each answer, in fp32 on the CPU, in their order. Leaves the model in its mode."""
        length = [len(prompt) + len(answer) for prompt, answer in zip(answers.prompts, answers.answers, strict=True)]
        order = sorted(range(len(answers)), key=lambda n: length[n])
        found = torch.empty(len(answers))
        with evaluating(model):
            for first in range(0, len(order), self.batch_size):
                self.between_batches()
                batch = order[first : first + self.batch_size]
                found[batch] = measure(model, *self._padded(answers, batch, model.device)).float().cpu()
        return found

    def _padded(self, answers: Answers, batch: list[int], device: torch.device) -> tuple[torch.Tensor, ...]:
        ids = [answers.prompts[n] + answers.answers[n] for n in batch]
        labels = [[IGNORED] * len(answers.prompts[n]) + answers.answers[n] for n in batch]
        masks = [[1] * len(row) for row in ids]
        longest = max(map(len, ids))
        return tuple(
            torch.tensor([row + [fill] * (longest - len(row)) for row in rows], device=device)
            for rows, fill in ((ids, self.pad_id), (masks, 0), (labels, IGNORED))
        )


@contextmanager
def evaluating(model: Any) -> Iterator[None]:
    was_training = model.training
    model.eval()
    try:
        yield
    finally:
        model.train(was_training)


def likelihood(model: Any, ids: torch.Tensor, mask: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Log-probability of each answer, through the head that TRL's trainers fuse with the loss."""
    output = model(input_ids=ids, attention_mask=mask, labels=labels, fused_lm_head=True, use_cache=False)
    total: torch.Tensor = output.log_probs.sum(1)
    return total


def head_score(model: Any, ids: torch.Tensor, mask: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """What a reward model says of each answer."""
    scores: torch.Tensor = model(input_ids=ids, attention_mask=mask, use_cache=False).logits.squeeze(-1)
    return scores


@dataclass
class LogRatios:
    """How much likelier answers have become than they were to the reference model, which is asked once."""

    trainer: Any
    """TRL's, of DPO or KTO: it knows the reference."""
    reading: Reading
    answers: Answers
    _reference: torch.Tensor | None = None

    def __call__(self, model: Any) -> tuple[torch.Tensor, torch.Tensor]:
        """Log-probabilities of the answers, and what they have gained."""
        if self._reference is None:
            with self._without_adapter(model):
                self._reference = self.reading(self.trainer.ref_model or model, self.answers, likelihood)
        now = self.reading(model, self.answers, likelihood)
        return now, now - self._reference

    def _without_adapter(self, model: Any) -> AbstractContextManager[Any]:
        """An adapter needs no second model: without it the model is its own reference."""
        return nullcontext() if self.trainer.ref_model is not None else model.disable_adapter()


def of_margins(margins: torch.Tensor) -> Findings:
    """`pair_accuracy`: how often the better answer of a pair is ahead, a draw being half a hit. `margin`: how far."""
    ahead = (margins > 0).float() + 0.5 * (margins == 0).float()
    return mean_of_each("pair_accuracy", ahead.tolist()) | mean_of_each("margin", margins.tolist())
