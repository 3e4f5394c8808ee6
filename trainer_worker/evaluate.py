"""Held-out truth: rows that are never trained on, scored by the job's grader and by their loss."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import orjson
import torch
from datasets import Dataset
from transformers import PreTrainedModel

from contracts.dataset import PreparedRow
from graders import Grade, Port, models_of
from graders.schema import Grader
from trainer_worker.data import IGNORED, turns_of
from trainer_worker.rewards import score
from trainer_worker.sampler import Answer, Sampler

Values = dict[str, float]
Examination = Callable[[PreTrainedModel], Values]

FULL_SCORE = 1.0 - 1e-9
"""A score from here on is a full one, unless the grader names its own threshold."""


@dataclass(frozen=True)
class GradedAnswers:
    """`reward_mean`, `accuracy` (share of full scores), `length_mean` (tokens) of the model's own answers.

    What is not scored counts in neither, and is told as `not_scored` (a share). No accuracy where a reward model is
    asked and nobody has set a threshold: its scores have no full one.
    """

    rows: list[PreparedRow]
    grader: Grader
    sampler: Sampler
    port: Port

    def __call__(self, model: PreTrainedModel) -> Values:
        answered = self.sampler.answers(model, [turns_of(row) for row in self.rows])
        pairs = [(answer, row) for answers, row in zip(answered, self.rows, strict=True) for answer in answers]
        scores = [one.score for one in self._grades(pairs)]
        scored = [value for value in scores if value is not None]
        values = {"length_mean": sum(answer.tokens for answer, _ in pairs) / len(pairs)}
        if len(scored) < len(scores):
            values["not_scored"] = 1 - len(scored) / len(scores)
        if not scored:
            return values
        if (full := self._full_score()) is not None:
            values["accuracy"] = sum(value >= full for value in scored) / len(scored)
        return values | {"reward_mean": sum(scored) / len(scored)}

    def _full_score(self) -> float | None:
        if self.grader.pass_threshold is not None:
            return self.grader.pass_threshold
        return None if models_of(self.grader) else FULL_SCORE

    def _grades(self, pairs: list[tuple[Answer, PreparedRow]]) -> list[Grade]:
        prompts = [turns_of(row) for _, row in pairs]
        items = [orjson.dumps(row.item).decode() for _, row in pairs]
        texts, tokens = [answer.text for answer, _ in pairs], [answer.tokens for answer, _ in pairs]
        return score(self.grader, prompts, texts, items, tokens, self.port)


@dataclass(frozen=True)
class TeacherForced:
    """`loss` (mean over answer tokens) and `token_accuracy` on the answers that the rows hold."""

    tokens: Dataset
    pad_id: int
    batch_size: int
    between_batches: Callable[[], None] = lambda: None

    @torch.no_grad()
    def __call__(self, model: PreTrainedModel) -> Values:
        was_training = model.training
        model.eval()
        loss = correct = count = 0.0
        for first in range(0, len(self.tokens), self.batch_size):
            self.between_batches()
            ids, mask, labels = self._batch(self.tokens[first : first + self.batch_size], model.device)
            logits = model(input_ids=ids, attention_mask=mask, use_cache=False).logits[:, :-1].float()
            targets = labels[:, 1:]
            loss += torch.nn.functional.cross_entropy(
                logits.flatten(0, 1), targets.flatten(), ignore_index=IGNORED, reduction="sum"
            ).item()
            correct += (logits.argmax(-1) == targets).sum().item()
            count += (targets != IGNORED).sum().item()
        model.train(was_training)
        return {"loss": loss / count, "token_accuracy": correct / count}

    def _batch(self, rows: dict[str, list[list[int]]], device: torch.device) -> tuple[torch.Tensor, ...]:
        longest = max(map(len, rows["input_ids"]))

        def padded(lists: Iterable[list[int]], fill: int) -> torch.Tensor:
            return torch.tensor([ids + [fill] * (longest - len(ids)) for ids in lists], device=device)

        masks = [[1] * len(ids) for ids in rows["input_ids"]]
        return padded(rows["input_ids"], self.pad_id), padded(masks, 0), padded(rows["labels"], IGNORED)


def examine(model: Any, examinations: Iterable[Examination]) -> Values:
    """All examinations of a model. Leaves the random numbers of the training as they were."""
    devices = range(torch.cuda.device_count()) if torch.cuda.is_available() else []
    values: Values = {}
    with torch.random.fork_rng(devices=devices):
        for examination in examinations:
            values |= examination(model)
    return values
