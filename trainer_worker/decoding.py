"""From prompts to completions, token by token: each prompt is read once, and rows that have ended cost nothing more."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor
from transformers import GenerationConfig, PreTrainedModel, TopPLogitsWarper

from trainer_worker.batch import Batch, bare, can_lead, left_padded

DROP_SHARE = 1 / 8
"""Ended rows are taken out of the cache once they are this share of it: taking out copies the rest."""


@dataclass(frozen=True)
class Manner:
    """How completions are sampled: with TRL's meaning of every word (top_k is 0, there are no other penalties)."""

    longest: int
    """Tokens after which a completion is cut off."""
    end_ids: tuple[int, ...]
    """Tokens that end a completion, and belong to it."""
    pad_id: int
    temperature: float | None
    """None is greedy."""
    top_p: float = 1.0
    keeps_logprobs: bool = True
    """Whether anybody reads them: an evaluation does not, and is spared a normal form of all logits."""


@dataclass(frozen=True)
class Sampled:
    """One completion, the token that ended it included."""

    ids: list[int]
    logprobs: list[float] | None
    """Of each token under the tempered distribution, before top_p cuts it. None where `generate` had to be
    used, and where nobody wants them."""


def complete(model: PreTrainedModel, prompts: list[list[int]], manner: Manner) -> list[Sampled]:
    """A completion for every prompt (token ids), in their order. Neighbours that are alike are read once.

    The model is asked in evaluation mode, so dropout plays no part, and left in the mode it was in.
    """
    if not prompts:
        return []
    with _evaluating(model), torch.no_grad():
        return _Decoding(model, prompts, manner).run() if can_lead(model) else _generate(model, prompts, manner)


class _Decoding:
    """Completions under way. `present` rows are those that the batch still holds.

    Shapes: `tokens` and `logprobs` [all rows, longest].
    """

    def __init__(self, model: PreTrainedModel, prompts: list[list[int]], manner: Manner) -> None:
        self._manner = manner
        device = next(model.parameters()).device
        self._ends = torch.tensor(manner.end_ids, device=device)
        self._batch = Batch(model, prompts, manner.pad_id)
        count = len(prompts)
        self._tokens = torch.full((count, manner.longest), manner.pad_id, device=device)
        self._logprobs = torch.zeros((count, manner.longest), device=device)
        self._lengths = torch.zeros(count, dtype=torch.long, device=device)
        self._present = torch.arange(count, device=device)
        self._ended = torch.zeros(count, dtype=torch.bool, device=device)

    def run(self) -> list[Sampled]:
        for place in range(self._manner.longest):
            latest = self._draw(self._batch.logits, place)
            if place + 1 == self._manner.longest or bool(self._ended.all()):
                break
            self._batch.step(self._without_ended(latest))
        return self._found()

    def _draw(self, logits: Tensor, place: int) -> Tensor:
        """One token for every row that is present, written down where the row has not ended."""
        chosen, logprobs = self._choose(logits)
        goes_on = ~self._ended
        rows = self._present[goes_on]
        self._tokens[rows, place] = chosen[goes_on]
        if logprobs is not None:
            self._logprobs[rows, place] = logprobs[goes_on]
        self._lengths[rows] += 1
        self._ended |= torch.isin(chosen, self._ends)
        return chosen

    def _choose(self, logits: Tensor) -> tuple[Tensor, Tensor | None]:
        if self._manner.temperature is None and not self._manner.keeps_logprobs:
            return logits.argmax(-1), None
        logprobs = (logits / (self._manner.temperature or 1.0)).log_softmax(-1)
        if self._manner.temperature is None:
            chosen = logprobs.argmax(-1, keepdim=True)
        else:
            chosen = torch.multinomial(self._likely(logprobs).exp(), 1)
        return chosen[:, 0], logprobs.gather(1, chosen)[:, 0]

    def _likely(self, logprobs: Tensor) -> Tensor:
        """With what top_p leaves out at minus infinity."""
        if self._manner.top_p == 1.0:
            return logprobs
        kept: Tensor = TopPLogitsWarper(self._manner.top_p)(None, logprobs)
        return kept

    def _without_ended(self, latest: Tensor) -> Tensor:
        """The latest tokens, without the rows that have ended when these are many."""
        kept = (~self._ended).nonzero()[:, 0]
        if len(self._ended) - len(kept) < DROP_SHARE * len(self._ended):
            return latest
        self._batch.keep(kept)
        self._present, self._ended = self._present[kept], self._ended[kept]
        return latest[kept]

    def _found(self) -> list[Sampled]:
        tokens, lengths = self._tokens.tolist(), self._lengths.tolist()
        if not self._manner.keeps_logprobs:
            return [Sampled(ids[:length], None) for ids, length in zip(tokens, lengths, strict=True)]
        rows = zip(tokens, self._logprobs.tolist(), lengths, strict=True)
        return [Sampled(ids[:length], logprobs[:length]) for ids, logprobs, length in rows]


def _generate(model: PreTrainedModel, prompts: list[list[int]], manner: Manner) -> list[Sampled]:
    ids, mask = left_padded(prompts, manner.pad_id, next(model.parameters()).device)
    config = _generation_config(manner)
    with _without_own_habits(model, config):
        output = model.generate(input_ids=ids, attention_mask=mask, generation_config=config)
    return [Sampled(_up_to_end(row, manner.end_ids), None) for row in output[:, ids.shape[1] :].tolist()]


def _generation_config(manner: Manner) -> GenerationConfig:
    spread = (
        {"do_sample": False}
        if manner.temperature is None
        else {"do_sample": True, "temperature": manner.temperature, "top_p": manner.top_p, "top_k": 0}
    )
    return GenerationConfig(
        max_new_tokens=manner.longest,
        eos_token_id=list(manner.end_ids),
        pad_token_id=manner.pad_id,
        disable_compile=True,
        **spread,
    )


@contextmanager
def _without_own_habits(model: PreTrainedModel, config: GenerationConfig) -> Iterator[None]:
    """A model's own generation config (top_k 20, a repetition penalty) would fill in what ours leaves open."""
    base = bare(model)
    own, base.generation_config = base.generation_config, config
    try:
        yield
    finally:
        base.generation_config = own


@contextmanager
def _evaluating(model: PreTrainedModel) -> Iterator[None]:
    was_training = model.training
    model.eval()
    try:
        yield
    finally:
        model.train(was_training)


def _up_to_end(ids: list[int], end_ids: tuple[int, ...]) -> list[int]:
    ended = next((n for n, token in enumerate(ids) if token in end_ids), len(ids))
    return ids[: ended + 1]
