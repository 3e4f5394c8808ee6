"""What a model is asked in an evaluation: the dataset's first rows, ready to be answered, in batches of like length."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice

from jinja2 import TemplateError
from transformers import PreTrainedTokenizerBase

from contracts.dataset import PreparedRow
from contracts.event import Skipped
from contracts.fault import Fault
from trainer_worker.assignment import EvaluationWork
from trainer_worker.data import chunks, read_rows, turns_of
from trainer_worker.pretrained import render


@dataclass(frozen=True)
class Question:
    number: int
    """Of its row in the dataset, counted from 0."""
    row: PreparedRow
    ids: list[int]
    """The prompt as the model's chat template writes it."""
    skipped: Skipped | None
    """Why the model is not asked."""


@dataclass(frozen=True)
class Paper:
    """All questions in the order in which they are asked: the shortest first, and last those that nobody asks."""

    questions: list[Question]
    batch_size: int

    def batch(self, step: int) -> list[Question]:
        """Steps are counted from 1."""
        return self.questions[(step - 1) * self.batch_size : step * self.batch_size]

    def __str__(self) -> str:
        skipped = Counter(one.skipped for one in self.questions if one.skipped)
        return f"{len(self.questions)} rows, {skipped['too_long']} too long, {skipped['empty']} without a prompt"


def paper_of(work: EvaluationWork, tokenizer: PreTrainedTokenizerBase, context: int) -> Paper:
    """Raises Fault dataset.row_invalid, dataset.too_long when no prompt leaves room for an answer, dataset.empty, or
    evaluation.template_failed."""
    how, dataset = work.spec.answering, work.spec.dataset
    rows = islice(read_rows(work.rows, dataset.mapping), how.rows)
    questions = _questions(rows, tokenizer, room=context - how.max_completion_length)
    if not questions:
        raise Fault("dataset.empty")
    if all(one.skipped for one in questions):
        raise Fault(
            "evaluation.nothing_to_ask", rows=len(questions), context=context, longest=how.max_completion_length
        )
    questions.sort(key=lambda one: (one.skipped is not None, len(one.ids), one.number))
    return Paper(questions, how.batch_size)


def _questions(rows: Iterable[PreparedRow], tokenizer: PreTrainedTokenizerBase, room: int) -> list[Question]:
    found: list[Question] = []
    for chunk in chunks(rows):
        texts = [_written(row, tokenizer, len(found) + n) for n, row in enumerate(chunk)]
        ids: list[list[int]] = tokenizer(texts, add_special_tokens=False)["input_ids"]
        for row, prompt in zip(chunk, ids, strict=True):
            found.append(Question(len(found), row, prompt, _why_not(row, prompt, room)))
    return found


def _written(row: PreparedRow, tokenizer: PreTrainedTokenizerBase, number: int) -> str:
    try:
        return render(tokenizer, turns_of(row), to_be_answered=True)
    except (TemplateError, ValueError, TypeError) as error:
        raise Fault("evaluation.template_failed", row=number + 1, detail=str(error)[:500]) from error


def _why_not(row: PreparedRow, prompt: list[int], room: int) -> Skipped | None:
    if not prompt or not any(turn.content.strip() for turn in row.prompt):
        return "empty"
    return "too_long" if len(prompt) > room else None
