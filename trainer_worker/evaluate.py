"""Held-out truth: rows that are never trained on, scored by the job's grader and by their loss."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import orjson
import torch
from datasets import Dataset
from transformers import PreTrainedModel

from contracts.dataset import PreparedRow
from graders import Grade, Port, full_score
from graders.schema import Grader
from trainer_worker.data import IGNORED, turns_of
from trainer_worker.rewards import by_part, score, sub_means
from trainer_worker.sampler import Answer, Sampler

Values = dict[str, float]


@dataclass(frozen=True)
class Findings:
    """What an examination found: numbers, and of those that are means each row's part in them."""

    values: Values
    rows: dict[str, tuple[float, ...]] = field(default_factory=dict)

    def __or__(self, other: "Findings") -> "Findings":
        return Findings(self.values | other.values, self.rows | other.rows)


Examination = Callable[[PreTrainedModel], Findings]


def mean_of(name: str, sums: Sequence[float], counts: Sequence[float]) -> Findings:
    """A mean over all that the rows hold (tokens, answers), of which every row may hold another number.

    A row's part is the mean plus what the row pulls it by (the linearised ratio estimator), so that the parts have
    the mean's own uncertainty: rows are drawn at random, not tokens.
    """
    total = sum(counts)
    mean = sum(sums) / total
    pulls = ((row - mean * count) * len(sums) / total for row, count in zip(sums, counts, strict=True))
    return Findings({name: mean}, {name: tuple(float(f"{mean + pull:.8g}") for pull in pulls)})


def mean_of_each(name: str, rows: Sequence[float]) -> Findings:
    """A mean in which every row counts the same."""
    return mean_of(name, rows, [1.0] * len(rows))


@dataclass(frozen=True)
class GradedAnswers:
    """`reward_mean`, `accuracy` (share of full scores), `length_mean` (tokens) of the model's own answers; the mean
    score of each part of a combination, and what `rewards.by_part` counts.

    What is not scored counts in neither, and is told as `not_scored` (a share). No accuracy where a reward model is
    asked and nobody has set a threshold: its scores have no full one.
    """

    rows: list[PreparedRow]
    grader: Grader
    sampler: Sampler
    port: Port

    def __call__(self, model: PreTrainedModel) -> Findings:
        answered = self.sampler.answers(model, [turns_of(row) for row in self.rows])
        pairs = [(answer, row) for answers, row in zip(answered, self.rows, strict=True) for answer in answers]
        grades = self._grades(pairs)
        graded = iter(grades)
        scores = [[one.score for one in islice(graded, len(answers))] for answers in answered]
        scored = [[score for score in row if score is not None] for row in scores]
        counts, wanted = [len(row) for row in scored], [len(answers) for answers in answered]
        found = mean_of("length_mean", [sum(one.tokens for one in answers) for answers in answered], wanted)
        found |= Findings(by_part(grades) | {f"grades/{name}": mean for name, mean in sub_means(grades).items()})
        if sum(counts) < sum(wanted):
            found |= Findings({"not_scored": 1 - sum(counts) / sum(wanted)})
        if not sum(counts):
            return found
        if (full := full_score(self.grader)) is not None:
            found |= mean_of("accuracy", [sum(score >= full for score in row) for row in scored], counts)
        return found | mean_of("reward_mean", [sum(row) for row in scored], counts)

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
    def __call__(self, model: PreTrainedModel) -> Findings:
        was_training = model.training
        model.eval()
        loss: list[float] = []
        correct: list[float] = []
        count: list[float] = []
        for first in range(0, len(self.tokens), self.batch_size):
            self.between_batches()
            ids, mask, labels = self._batch(self.tokens[first : first + self.batch_size], model.device)
            logits = model(input_ids=ids, attention_mask=mask, use_cache=False).logits[:, :-1].float()
            targets = labels[:, 1:]
            losses = torch.nn.functional.cross_entropy(
                logits.flatten(0, 1), targets.flatten(), ignore_index=IGNORED, reduction="none"
            )
            loss += losses.view_as(targets).sum(1).tolist()
            correct += (logits.argmax(-1) == targets).sum(1).tolist()
            count += (targets != IGNORED).sum(1).tolist()
        model.train(was_training)
        return mean_of("loss", loss, count) | mean_of("token_accuracy", correct, count)

    def _batch(self, rows: dict[str, list[list[int]]], device: torch.device) -> tuple[torch.Tensor, ...]:
        longest = max(map(len, rows["input_ids"]))

        def padded(lists: Iterable[list[int]], fill: int) -> torch.Tensor:
            return torch.tensor([ids + [fill] * (longest - len(ids)) for ids in lists], device=device)

        masks = [[1] * len(ids) for ids in rows["input_ids"]]
        return padded(rows["input_ids"], self.pad_id), padded(masks, 0), padded(rows["labels"], IGNORED)


def examine(model: Any, examinations: Iterable[Examination]) -> Findings:
    """All examinations of a model. Leaves the random numbers of the training as they were."""
    devices = range(torch.cuda.device_count()) if torch.cuda.is_available() else []
    found = Findings({})
    with torch.random.fork_rng(devices=devices):
        for examination in examinations:
            found |= examination(model)
    return found
