"""Answers of a model to prompts. The one place that samples, in training and in evaluation."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from transformers import PreTrainedModel, PreTrainedTokenizerBase

from trainer_worker.decoding import Manner, Sampled, complete
from trainer_worker.pretrained import Turns, end_ids, render


@dataclass(frozen=True)
class Answer:
    text: str
    ids: list[int]
    """Its tokens, the one that ended it included."""

    @property
    def tokens(self) -> int:
        return len(self.ids)


@dataclass(frozen=True)
class Sampler:
    """How to answer: greedily, or at the temperature that training samples with."""

    tokenizer: PreTrainedTokenizerBase
    longest: int
    """Tokens after which an answer is cut."""
    samples: int = 1
    """Answers to each prompt of `answers`."""
    temperature: float | None = None
    """None is greedy."""
    top_p: float = 1.0
    keeps_logprobs: bool = True
    """Whether `sample` is asked for them."""
    batch_size: int = 128
    """Prompts of `answers` that are answered at once."""
    between_batches: Callable[[], None] = lambda: None
    """Called before every batch, so that an order to stop need not wait for the last."""

    def sample(self, model: PreTrainedModel, prompts: list[list[int]]) -> list[Sampled]:
        """One completion for every prompt (token ids), all at once. Prompts that are alike should be neighbours."""
        manner = Manner(
            longest=self.longest,
            end_ids=end_ids(model, self.tokenizer),
            pad_id=self._pad_id,
            temperature=self.temperature,
            top_p=self.top_p,
            keeps_logprobs=self.keeps_logprobs,
        )
        return complete(model, prompts, manner)

    def answers(self, model: PreTrainedModel, prompts: list[Turns]) -> list[list[Answer]]:
        """For every prompt its `samples` answers, in batches of like length."""
        texts = [render(self.tokenizer, turns, to_be_answered=True) for turns in prompts]
        by_length = sorted(range(len(texts)), key=lambda n: len(texts[n]))
        found: list[list[Answer]] = [[] for _ in texts]
        for first in range(0, len(texts), self.batch_size):
            self.between_batches()
            batch = by_length[first : first + self.batch_size]
            ids = self.tokenizer([texts[n] for n in batch], add_special_tokens=False)["input_ids"]
            for n, answers in zip(batch, self.answer(model, ids), strict=True):
                found[n] = answers
        return found

    def answer(self, model: PreTrainedModel, ids: list[list[int]]) -> list[list[Answer]]:
        """For every prompt (token ids) its `samples` answers, all at once."""
        sampled = self.sample(model, [prompt for prompt in ids for _ in range(self.samples)])
        written = self.tokenizer.batch_decode([one.ids for one in sampled], skip_special_tokens=True)
        answers = [Answer(text, one.ids) for text, one in zip(written, sampled, strict=True)]
        return [answers[n : n + self.samples] for n in range(0, len(answers), self.samples)]

    @property
    def _pad_id(self) -> Any:  # Any: transformers types a token id as nearly anything
        return self.tokenizer.pad_token_id
