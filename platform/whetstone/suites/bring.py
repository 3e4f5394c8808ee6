"""From somebody's file to a dataset and an evaluator, with which any model can be evaluated."""

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import IO, Any, Literal, cast

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from pydantic import JsonValue

from contracts.fault import Fault
from graders import parse
from whetstone.accounts.models import Team, User
from whetstone.artifacts.disk import require_room
from whetstone.artifacts.store import put
from whetstone.datasets.keep import Contents, keep, scanned
from whetstone.datasets.models import DatasetVersion
from whetstone.datasets.scan import CONVERSATIONS, scan
from whetstone.evaluators.models import EvaluatorVersion
from whetstone.evaluators.save import save_evaluator
from whetstone.suites import choices, gsm8k, open_answers
from whetstone.suites.tables import json_line, rows
from whetstone.suites.task import Reader, Task, Unreadable

SuiteName = Literal["gsm8k", "multiple_choice", "open_answers"]
READERS: dict[SuiteName, Reader] = {
    "gsm8k": gsm8k.read,
    "multiple_choice": choices.read,
    "open_answers": open_answers.read,
}
LONGEST: dict[SuiteName, int] = {"gsm8k": 512, "multiple_choice": 32, "open_answers": 1024}
"""Tokens that an answer usually takes at the most."""
MOST_SHOTS = 25


@dataclass(frozen=True)
class File:
    content: IO[bytes]
    name: str


def of_upload(upload: "UploadedFile[bytes]") -> File:
    """Raises Fault dataset.too_large."""
    limit_mb = settings.ENVIRONMENT.max_upload_mb
    if upload.size is not None and upload.size > limit_mb * 1024 * 1024:
        raise Fault("dataset.too_large", field="file", limit_mb=limit_mb)
    content = cast(IO[bytes], upload.file)
    content.seek(0)
    return File(content, upload.name or "")


@dataclass(frozen=True)
class Brought:
    """What an evaluation of the suite takes."""

    dataset: DatasetVersion
    evaluator: EvaluatorVersion
    longest_answer: int
    """Tokens."""


@dataclass(frozen=True)
class Order:
    """`shots` worked examples stand before each question as turns of the conversation, taken from `examples`."""

    suite: SuiteName
    name: str
    """Of the dataset and of the evaluator."""
    file: File
    examples: File | None = None
    shots: int = 0
    judge: str = ""


def bring(user: User, team: Team, order: Order) -> Brought:
    """A file that is brought again makes the next version of the dataset, and no second evaluator.

    Raises:
        Fault: suite.unreadable, suite.no_examples, suite.no_judge, dataset.empty, dataset.broken_line,
            platform.disk_low; nothing was made.
    """
    require_room()
    shots = _shots(order)
    with tempfile.TemporaryFile() as made:
        columns = _write(made, order, shots)
        grader = _grader(order, columns)
        made.seek(0)
        found = scan(made)
        made.seek(0)
        facts = scanned(put(team, made), found, f"{order.name}.jsonl", "evals")
    contents = Contents(**facts, mapping=CONVERSATIONS, answers=found.chats.found())
    dataset = keep(user, team, order.name, contents)
    return Brought(dataset, save_evaluator(user, team, order.name, parse(grader)), LONGEST[order.suite])


def _shots(order: Order) -> list[Task]:
    if not order.shots:
        return []
    if order.examples is None:
        raise Fault("suite.no_examples", field="shots", shots=order.shots)
    found = list(islice(_tasks(order.suite, order.examples), order.shots))
    if len(found) < order.shots or not all(task.answer for task in found):
        raise Fault("suite.no_examples", field="examples", shots=order.shots)
    return found


def _tasks(suite: SuiteName, file: File) -> Iterator[Task]:
    read = READERS[suite]
    for number, row in enumerate(rows(file.content, file.name, choices.WITHOUT_HEADER), start=1):
        try:
            yield read(row)
        except Unreadable as error:
            raise Fault("suite.unreadable", field="file", detail=f"row {number}: {error}") from None


def _write(made: IO[bytes], order: Order, shots: list[Task]) -> set[str]:
    """The rows as conversations. Returns the columns that every one of them has."""
    before: list[JsonValue] = []
    for shot in shots:
        before += [{"role": "user", "content": shot.question}, {"role": "assistant", "content": shot.answer}]
    columns: set[str] | None = None
    for task in _tasks(order.suite, order.file):
        messages: list[JsonValue] = [*before, {"role": "user", "content": task.question}]
        made.write(json_line({"messages": messages, **task.item}))
        columns = set(task.item) if columns is None else columns & task.item.keys()
    return columns or set()


def _grader(order: Order, columns: set[str]) -> dict[str, Any]:  # Any: JSON
    if order.suite == "gsm8k":
        return gsm8k.GRADER
    if order.suite == "multiple_choice":
        return choices.GRADER
    return open_answers.grader(order.judge, columns)
