"""Rows of a dataset, made ready for a trainer, with every check that needs the model's tokenizer."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TypeVar

import orjson
import pyarrow as pa
from datasets import Dataset
from transformers import PreTrainedTokenizerBase

from contracts.dataset import ColumnMapping, PreparedRow, prepare
from contracts.fault import Fault
from trainer_worker.pretrained import Turns, render

ROWS_AT_ONCE = 2000
IGNORED = -100
PROMPTS = pa.schema(
    [
        ("prompt", pa.list_(pa.struct([("role", pa.string()), ("content", pa.string())]))),
        ("item", pa.string()),
    ]
)
TOKENS = pa.schema([("input_ids", pa.list_(pa.int32())), ("labels", pa.list_(pa.int32()))])

T = TypeVar("T")


@dataclass
class Counts:
    """What became of the rows."""

    read: int = 0
    cut: int = 0
    left_out: int = 0

    def add(self, *, read: int, kept: int, cut: int) -> None:
        self.read += read
        self.left_out += read - kept
        self.cut += cut

    def __str__(self) -> str:
        return f"{self.read} rows read, {self.cut} cut to the longest length, {self.left_out} left out"


def read_rows(file: Path, mapping: ColumnMapping) -> Iterator[PreparedRow]:
    """Rows as the mapping reads them. Raises Fault(dataset.row_invalid) with the row's number, counted from 1."""
    with file.open("rb") as source:
        lines = (line for line in source if line.strip())
        for number, line in enumerate(lines, 1):
            try:
                yield prepare(orjson.loads(line), mapping)
            except ValueError as error:
                raise Fault("dataset.row_invalid", row=number, detail=str(error)) from error


def turns_of(row: PreparedRow) -> Turns:
    return [{"role": turn.role, "content": turn.content} for turn in row.prompt]


def prompts(
    rows: Iterable[PreparedRow], tokenizer: PreTrainedTokenizerBase, *, room: int, context: int
) -> tuple[Dataset, Counts]:
    """Columns `prompt` (turns) and `item` (JSON). Prompts longer than `room` tokens are left out.

    Raises:
        Fault: dataset.too_long, when none is left.
    """
    counts = Counts()
    tables = []
    for chunk in chunks(rows):
        kept = [row for row, fits in zip(chunk, _fit(chunk, tokenizer, room), strict=True) if fits]
        counts.add(read=len(chunk), kept=len(kept), cut=0)
        columns = [[turns_of(row) for row in kept], [orjson.dumps(row.item).decode() for row in kept]]
        tables.append(pa.table(columns, schema=PROMPTS))
    return as_dataset(tables, counts, context), counts


def conversations(
    rows: Iterable[PreparedRow], tokenizer: PreTrainedTokenizerBase, *, longest: int
) -> tuple[Dataset, Counts]:
    """Columns `input_ids` and `labels`; only the assistant's answers carry labels.

    Rows are cut at `longest` tokens; a row of which no answer is left is left out.

    Raises:
        Fault: dataset.row_invalid for a row without an answer, dataset.too_long when no row is left.
    """
    counts = Counts()
    tables = []
    for chunk in chunks(rows):
        encoded = _encode(chunk, tokenizer, counts.read)
        cut = [(ids[:longest], labels[:longest]) for ids, labels in encoded]
        kept = [(ids, labels) for ids, labels in cut if any(label != IGNORED for label in labels)]
        counts.add(read=len(chunk), kept=len(kept), cut=sum(len(ids) > longest for ids, _ in encoded))
        columns = [[ids for ids, _ in kept], [labels for _, labels in kept]]
        tables.append(pa.table(columns, schema=TOKENS))
    return as_dataset(tables, counts, longest), counts


def chunks(rows: Iterable[T]) -> Iterator[list[T]]:
    """The rows, so many at once that a tokenizer is quick."""
    stream = iter(rows)
    while chunk := list(islice(stream, ROWS_AT_ONCE)):
        yield chunk


def as_dataset(tables: list[pa.Table], counts: Counts, context: int) -> Dataset:
    """All chunks as one. Raises Fault(dataset.empty) or Fault(dataset.too_long) when it holds no row."""
    if counts.read == 0:
        raise Fault("dataset.empty")
    if counts.left_out == counts.read:
        raise Fault("dataset.too_long", rows=counts.read, context=context)
    return Dataset(pa.concat_tables(tables))


def _fit(rows: list[PreparedRow], tokenizer: PreTrainedTokenizerBase, room: int) -> list[bool]:
    """Whether each prompt has at most `room` tokens. A token covers a byte at least: few rows need a tokenizer."""
    texts = [render(tokenizer, turns_of(row), to_be_answered=True) for row in rows]
    fits = [len(text.encode()) <= room for text in texts]
    doubtful = [n for n, fit in enumerate(fits) if not fit]
    if doubtful:
        tokens = tokenizer([texts[n] for n in doubtful], add_special_tokens=False)["input_ids"]
        for n, ids in zip(doubtful, tokens, strict=True):
            fits[n] = len(ids) <= room
    return fits


def _encode(
    rows: list[PreparedRow], tokenizer: PreTrainedTokenizerBase, before: int
) -> list[tuple[list[int], list[int]]]:
    """Token ids and labels. `before`: how many rows were read already."""
    texts, spans = [], []
    for number, row in enumerate(rows, before + 1):
        if row.completion is None or not row.completion.strip():
            raise Fault("dataset.row_invalid", row=number, detail="it holds no answer of the assistant")
        text, answers = _answers([*turns_of(row), {"role": "assistant", "content": row.completion}], tokenizer)
        texts.append(text)
        spans.append(answers)
    encoded = tokenizer(texts, add_special_tokens=False, return_offsets_mapping=True)
    return [
        (ids, _labels(ids, offsets, answers))
        for ids, offsets, answers in zip(encoded["input_ids"], encoded["offset_mapping"], spans, strict=True)
    ]


def _answers(turns: Turns, tokenizer: PreTrainedTokenizerBase) -> tuple[str, list[tuple[int, int]]]:
    """The rendered conversation, and from where to where in it the assistant speaks, its end mark included.

    Found by rendering up to each answer and past it, so that it works with every template. A template that writes
    earlier answers differently later on (without their thinking, say) leaves only the last one.
    """
    whole = render(tokenizer, turns, to_be_answered=False)
    spans = []
    for n, turn in enumerate(turns):
        if turn["role"] != "assistant":
            continue
        before = render(tokenizer, turns[:n], to_be_answered=True)
        after = whole if n == len(turns) - 1 else render(tokenizer, turns[: n + 1], to_be_answered=False)
        if whole.startswith(after) and after.startswith(before):
            spans.append((len(before), len(after)))
    return whole, spans


def _labels(ids: list[int], offsets: list[tuple[int, int]], answers: list[tuple[int, int]]) -> list[int]:
    labels = [IGNORED] * len(ids)
    for begin, end in answers:
        for n, (first, last) in enumerate(offsets):
            if first >= begin and last <= end and last > first:
                labels[n] = ids[n]
    return labels
