"""Answers of a model to held-out prompts, in batches of like length. The one place where evaluation samples."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from trainer_worker.data import Turns, render


@dataclass(frozen=True)
class Answer:
    text: str
    tokens: int


@dataclass(frozen=True)
class Sampler:
    """How to answer: greedily, or at the temperature that training samples with."""

    tokenizer: PreTrainedTokenizerBase
    longest: int
    """Tokens after which an answer is cut."""
    samples: int = 1
    temperature: float | None = None
    """None is greedy."""
    top_p: float = 1.0
    batch_size: int = 128
    between_batches: Callable[[], None] = lambda: None
    """Called before every batch, so that an order to stop need not wait for the last."""

    @torch.no_grad()
    def answers(self, model: PreTrainedModel, prompts: list[Turns]) -> list[list[Answer]]:
        """For every prompt its `samples` answers. The model is left in the mode it was in."""
        texts = [render(self.tokenizer, turns, to_be_answered=True) for turns in prompts]
        by_length = sorted(range(len(texts)), key=lambda n: len(texts[n]))
        found: list[list[Answer]] = [[] for _ in texts]
        was_training = model.training
        model.eval()
        try:
            for first in range(0, len(texts), self.batch_size):
                self.between_batches()
                batch = by_length[first : first + self.batch_size]
                for n, answers in zip(batch, self._answer(model, [texts[n] for n in batch]), strict=True):
                    found[n] = answers
        finally:
            model.train(was_training)
        return found

    def _answer(self, model: PreTrainedModel, texts: list[str]) -> list[list[Answer]]:
        inputs = self.tokenizer(texts, add_special_tokens=False, padding=True, padding_side="left", return_tensors="pt")
        inputs = inputs.to(model.device)
        spread = (
            {"do_sample": False, "temperature": None, "top_p": None, "top_k": None}
            if self.temperature is None
            else {"do_sample": True, "temperature": self.temperature, "top_p": self.top_p, "top_k": 0}
        )
        output = model.generate(
            input_ids=inputs["input_ids"],
            attention_mask=inputs["attention_mask"],
            max_new_tokens=self.longest,
            num_return_sequences=self.samples,
            pad_token_id=self.tokenizer.pad_token_id,
            **spread,
        )
        completions = output[:, inputs["input_ids"].shape[1] :]
        lengths = (completions != self.tokenizer.pad_token_id).sum(1).tolist()
        written = self.tokenizer.batch_decode(completions, skip_special_tokens=True)
        answers = [Answer(text, length) for text, length in zip(written, lengths, strict=True)]
        return [answers[n : n + self.samples] for n in range(0, len(answers), self.samples)]
