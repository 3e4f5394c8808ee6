"""Reward models beside the model that is trained: what graders reach through their port."""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from jinja2 import TemplateError
from transformers import AutoModelForSequenceClassification, PreTrainedModel, PreTrainedTokenizerBase

from contracts.estimate import SCORED_AT_ONCE
from contracts.fault import Fault
from graders import Conversation, Grader, Port, Unreachable, runs_code
from graders.sandbox import Jails, Unsafe, walls
from trainer_worker.data import Turns, render
from trainer_worker.models import Precise, use_bf16
from trainer_worker.outside import Outside
from trainer_worker.pretrained import context_of, load_tokenizer

TOKENS_AT_ONCE = SCORED_AT_ONCE
"""A conversation that is longer passes alone."""


@dataclass(frozen=True)
class Scorer:
    """A reward model: one number at the end of a conversation, as in its training (padded on the right)."""

    name: str
    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase

    @torch.no_grad()
    def score(self, conversations: Sequence[Conversation]) -> list[float | None]:
        """In batches of like length; None for a conversation that is longer than the model's context.

        Raises:
            Fault: evaluator.template_failed. It is no score of 0 and no “not scored”: which turns a template knows
                hangs on the data, so the same rows would stay without a score to the end.
        """
        texts = [self._written(_turns(one)) for one in conversations]
        ids: list[list[int]] = self.tokenizer(texts, add_special_tokens=False)["input_ids"]
        fitting = (n for n, one in enumerate(ids) if len(one) <= context_of(self.model))
        scores: list[float | None] = [None] * len(ids)
        for batch in _batches(sorted(fitting, key=lambda n: len(ids[n])), ids):
            for n, score in zip(batch, self._pass([ids[n] for n in batch]), strict=True):
                scores[n] = score
        return scores

    def _written(self, turns: Turns) -> str:
        try:
            return render(self.tokenizer, turns, to_be_answered=False)
        except (TemplateError, ValueError, TypeError) as error:
            roles = ", ".join(turn["role"] for turn in turns)
            raise Fault("evaluator.template_failed", model=self.name, roles=roles, detail=str(error)[:500]) from error

    def _pass(self, rows: list[list[int]]) -> list[float]:
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


@dataclass(frozen=True)
class LocalScorers:
    """The reward models of this process, by the names that graders call them."""

    models: Mapping[str, Scorer]

    def score(self, model: str, conversations: Sequence[Conversation]) -> list[float | None]:
        """As graders.Scorers says."""
        if model not in self.models:
            raise Unreachable(f"The reward model “{model}” was not brought along.")
        return self.models[model].score(conversations)


def load_port(grader: Grader | None, folders: Mapping[str, Path], h: Precise, attempt: Path | None = None) -> Port:
    """The reward models in these folders, on the device and in the precision of the training; jails for code; and what
    the worker relays through the attempt's folder.

    Leaves the random numbers as they were: a training must not depend on who watches it.

    Raises:
        Fault: evaluator.not_a_reward_model, or grader.no_jail.
    """
    if grader is not None and runs_code(grader):
        _require_walls()
    devices = range(torch.cuda.device_count()) if torch.cuda.is_available() else []
    with torch.random.fork_rng(devices=devices):
        scorers = LocalScorers({name: _load(name, folder, h) for name, folder in folders.items()})
    outside = Outside(attempt) if attempt else None
    return Port(scorers=scorers, jails=Jails(), judges=outside, embedders=outside, services=outside)


def _require_walls() -> None:
    try:
        walls()
    except Unsafe as error:
        raise Fault("grader.no_jail", detail=str(error)) from None


def _load(name: str, folder: Path, h: Precise) -> Scorer:
    tokenizer = load_tokenizer(folder)
    model, told = AutoModelForSequenceClassification.from_pretrained(
        folder,
        dtype=torch.bfloat16 if use_bf16(h) else torch.float32,
        use_safetensors=True,
        trust_remote_code=False,
        local_files_only=True,
        output_loading_info=True,
    )
    if model.config.num_labels != 1 or told["missing_keys"]:  # its head would be drawn at random
        raise Fault("evaluator.not_a_reward_model", model=name)
    model.config.get_text_config().pad_token_id = _pad_id(tokenizer)  # by it the model finds where a row ends
    return Scorer(name, model.eval().requires_grad_(False).to(device_here()), tokenizer)


def device_here() -> torch.device:
    """Where this process trains."""
    return (
        torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))
        if torch.cuda.is_available()
        else torch.device("cpu")
    )


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
