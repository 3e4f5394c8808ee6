"""A reward model in memory. Trainings, evaluations and engines read and ask it in this one way, so a conversation has
the same score everywhere."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from jinja2 import TemplateError
from transformers import AutoModelForSequenceClassification, PreTrainedModel, PreTrainedTokenizerBase

from contracts.estimate import SCORED_AT_ONCE
from contracts.fault import Fault
from graders.port import Conversation
from trainer_worker.pretrained import LOCAL, Turns, context_of, device_here, load_tokenizer, render

TOKENS_AT_ONCE = SCORED_AT_ONCE
"""A conversation that is longer passes alone."""


@dataclass(frozen=True)
class Scorer:
    """A reward model: one number at the end of a conversation, as in its training (padded on the right)."""

    name: str
    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase

    @property
    def context(self) -> int:
        return context_of(self.model)

    def score(self, conversations: Sequence[Conversation]) -> list[float | None]:
        """In batches of like length; None for a conversation that is longer than the model's context.

        Raises:
            Fault: evaluator.template_failed. It is no score of 0 and no “not scored”: which turns a template knows
                hangs on the data, so the same rows would stay without a score to the end.
        """
        ids = self.read(conversations)
        fitting = (n for n, one in enumerate(ids) if len(one) <= self.context)
        scores: list[float | None] = [None] * len(ids)
        for batch in _batches(sorted(fitting, key=lambda n: len(ids[n])), ids):
            for n, score in zip(batch, self.give([ids[n] for n in batch]), strict=True):
                scores[n] = score
        return scores

    def read(self, conversations: Iterable[Conversation]) -> list[list[int]]:
        """Token ids of each. Raises Fault evaluator.template_failed."""
        texts = [self._written(_turns(one)) for one in conversations]
        ids: list[list[int]] = self.tokenizer(texts, add_special_tokens=False)["input_ids"]
        return ids

    def _written(self, turns: Turns) -> str:
        try:
            return render(self.tokenizer, turns, to_be_answered=False)
        except (TemplateError, ValueError, TypeError) as error:
            roles = ", ".join(turn["role"] for turn in turns)
            raise Fault("evaluator.template_failed", model=self.name, roles=roles, detail=str(error)[:500]) from error

    @torch.no_grad()
    def give(self, rows: Sequence[list[int]]) -> list[float]:
        """The score of each of these rows of token ids, none of them empty, in one pass."""
        longest = max(map(len, rows))
        padded = [row + [_pad_id(self.tokenizer)] * (longest - len(row)) for row in rows]
        masks = [[1] * len(row) + [0] * (longest - len(row)) for row in rows]
        device = self.model.device
        found = self.model(
            input_ids=torch.tensor(padded, device=device),
            attention_mask=torch.tensor(masks, device=device),
            use_cache=False,
        )
        scores: list[float] = found.logits[:, 0].float().tolist()
        return scores


def load_scorer(name: str, folder: Path, *, in_bf16: bool) -> Scorer:
    """Raises Fault evaluator.not_a_reward_model."""
    tokenizer = load_tokenizer(folder)
    model, told = AutoModelForSequenceClassification.from_pretrained(
        folder,
        dtype=torch.bfloat16 if in_bf16 else torch.float32,
        use_safetensors=True,
        output_loading_info=True,
        **LOCAL,
    )
    if model.config.num_labels != 1 or told["missing_keys"]:  # its head would be drawn at random
        raise Fault("evaluator.not_a_reward_model", model=name)
    model.config.get_text_config().pad_token_id = _pad_id(tokenizer)  # by it the model finds where a row ends
    return Scorer(name, model.eval().requires_grad_(False).to(device_here()), tokenizer)


def _turns(conversation: Conversation) -> Turns:
    return [{"role": turn["role"], "content": turn["content"]} for turn in conversation]


def _batches(order: list[int], ids: list[list[int]]) -> Iterator[list[int]]:
    """Runs of rows, shortest first, that fit into one pass."""
    batch: list[int] = []
    for n in order:
        if batch and (len(batch) + 1) * len(ids[n]) > TOKENS_AT_ONCE:
            yield batch
            batch = []
        batch.append(n)
    if batch:
        yield batch


def _pad_id(tokenizer: PreTrainedTokenizerBase) -> Any:  # Any: transformers types a token id as nearly anything
    return tokenizer.pad_token_id
