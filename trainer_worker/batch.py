"""Texts that a model reads and goes on with together, and its memory of them: the keys and values."""

import inspect
from itertools import groupby
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import pad
from transformers import DynamicCache, PreTrainedModel
from transformers.cache_utils import DynamicLayer

NEEDED = frozenset({"input_ids", "attention_mask", "position_ids", "past_key_values", "use_cache", "logits_to_keep"})
"""What a model's forward pass must take for it to be led by us."""

BASE = "__base__"
"""PEFT's word for rows that no adapter changes."""


def can_lead(model: PreTrainedModel) -> bool:
    """Whether the model's cache is one of keys and values alone, of which rows can be repeated, dropped and joined.

    Sliding windows, linear attention and states keep `model.generate`, which knows them.
    """
    base = bare(model)
    if base.config.is_encoder_decoder or not set(inspect.signature(type(base).forward).parameters) >= NEEDED:
        return False
    return all(type(layer) is DynamicLayer for layer in DynamicCache(config=base.config).layers)


def bare(model: Any) -> Any:  # Any: a model of transformers, or PEFT's around one
    """The model without an adapter's wrapping."""
    return model.get_base_model() if hasattr(model, "get_base_model") else model


class Batch:
    """Rows of unlike length, padded on the left. `mask` [rows, tokens so far] is 0 on the padding."""

    def __init__(
        self, model: PreTrainedModel, prompts: list[list[int]], pad_id: int, voices: list[str] | None = None
    ) -> None:
        """Takes prompts (token ids) in: neighbours that are alike are read once. `logits` then says what follows.

        `voices`: of each row, the adapter that PEFT lays over the model for it, or `BASE`. None: whatever is active.
        """
        self.model = model
        """May be exchanged for PEFT's around it between two steps, where there are voices."""
        self._device = next(model.parameters()).device
        self._cache = DynamicCache(config=bare(model).config)
        distinct, owners = _distinct(prompts, voices or [BASE] * len(prompts))
        self._voices = None if voices is None else [voice for _, voice in distinct]
        ids, self.mask = left_padded([prompt for prompt, _ in distinct], pad_id, self._device)
        logits = self._forward(ids, _positions(self.mask))
        self.keep(torch.tensor(owners, device=self._device))
        self.logits = logits[owners]
        """[rows, vocabulary], fp32: what follows the last token of each row."""

    def __len__(self) -> int:
        return len(self.mask)

    def step(self, latest: Tensor) -> None:
        """One more token [rows] for every row."""
        self.mask = torch.cat([self.mask, self.mask.new_ones(len(latest), 1)], dim=1)
        self.logits = self._forward(latest[:, None], _positions(self.mask)[:, -1:])

    def keep(self, rows: Tensor) -> None:
        """Go on with these rows alone, in this order. The logits are those of the rows before."""
        self._cache.batch_select_indices(rows)
        self.mask = self.mask[rows]
        if self._voices is not None:
            self._voices = [self._voices[row] for row in rows.tolist()]

    def trim(self) -> None:
        """Let go of places that are padding in every row."""
        first = int(self.mask.any(0).int().argmax())
        if first:
            self.mask = self.mask[:, first:]
            for layer in self._layers:
                layer.keys, layer.values = layer.keys[:, :, first:], layer.values[:, :, first:]

    def join(self, other: "Batch") -> None:
        """Take the rows of another batch of the same model in, after the own ones."""
        longest = max(self.mask.shape[1], other.mask.shape[1])
        for mine, theirs in zip(self._layers, other._layers, strict=True):
            mine.keys = torch.cat([_lengthened(mine.keys, longest), _lengthened(theirs.keys, longest)])
            mine.values = torch.cat([_lengthened(mine.values, longest), _lengthened(theirs.values, longest)])
        masks = [pad(batch.mask, (longest - batch.mask.shape[1], 0)) for batch in (self, other)]
        self.mask = torch.cat(masks)
        self.logits = torch.cat([self.logits, other.logits])
        if self._voices is not None and other._voices is not None:
            self._voices = self._voices + other._voices

    @property
    def _layers(self) -> list[Any]:  # Any: transformers' layers have keys and values once they were used
        return list(self._cache.layers)

    def _forward(self, ids: Tensor, positions: Tensor) -> Tensor:
        has_adapters = self._voices is not None and hasattr(self.model, "peft_config")
        output = self.model(
            input_ids=ids,
            attention_mask=self.mask,
            position_ids=positions,
            past_key_values=self._cache,
            use_cache=True,
            logits_to_keep=1,
            **({"adapter_names": self._voices} if has_adapters else {}),
        )
        logits: Tensor = output.logits[:, -1].float()
        return logits


def _lengthened(states: Tensor, longest: int) -> Tensor:
    """Keys or values [rows, heads, tokens, dimension] with room on the left."""
    return pad(states, (0, 0, longest - states.shape[2], 0))


def _distinct(prompts: list[list[int]], voices: list[str]) -> tuple[list[tuple[list[int], str]], list[int]]:
    """Prompts without the repetitions of their neighbours, and for each row which of them is its own."""
    runs = [(row, len(list(same))) for row, same in groupby(zip(prompts, voices, strict=True))]
    return [row for row, _ in runs], [n for n, (_, count) in enumerate(runs) for _ in range(count)]


def left_padded(prompts: list[list[int]], pad_id: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """Ids and mask, both [prompts, longest prompt]."""
    longest = max(map(len, prompts))
    ids = [[pad_id] * (longest - len(prompt)) + prompt for prompt in prompts]
    mask = [[0] * (longest - len(prompt)) + [1] * len(prompt) for prompt in prompts]
    return torch.tensor(ids, device=device), torch.tensor(mask, device=device)


def _positions(mask: Tensor) -> Tensor:
    """Each token's place in its own sequence, padding not counted."""
    return (mask.cumsum(-1) - 1).clamp(min=0)
