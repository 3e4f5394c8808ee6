"""Pairs and labelled answers as tokens: what the methods learn from that compare."""

import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import pyarrow as pa
from datasets import Dataset
from transformers import PreTrainedTokenizerBase

from contracts.dataset import PreparedRow, labelled
from contracts.fault import Fault
from trainer_worker.data import Counts, as_dataset, chunks, turns_of
from trainer_worker.pretrained import Turns, render

IDS = pa.list_(pa.int32())
PAIRS = pa.schema([("prompt_ids", IDS), ("chosen_ids", IDS), ("rejected_ids", IDS)])
LABELLED = pa.schema([("prompt_ids", IDS), ("completion_ids", IDS), ("label", pa.bool_())])

Answered = tuple[Turns, str]


@dataclass(frozen=True)
class Encoded:
    """A conversation that ends with an answer, as the model's chat template writes it."""

    ids: list[int]
    prompt: int
    """How many of them come before the answer."""


def pairs(
    rows: Iterable[PreparedRow], tokenizer: PreTrainedTokenizerBase, *, longest: int, name: str
) -> tuple[Dataset, Counts]:
    """Columns `prompt_ids`, `chosen_ids`, `rejected_ids`; the answers with their end mark.

    Answers are cut where prompt and answer have `longest` tokens. Left out are pairs of which nothing is left to
    tell them apart. `name`: the dataset's, for faults.

    Raises:
        Fault: dataset.row_invalid for a row without two answers, dataset.equal_pairs or dataset.too_long when no
            row is left.
    """
    counts, tables, alike = Counts(), [], 0
    for chunk in chunks(rows):
        numbered = list(enumerate(chunk, counts.read + 1))
        chosen = encode([_answered(row, row.completion, n, "chosen") for n, row in numbered], tokenizer)
        rejected = encode([_answered(row, row.rejected, n, "rejected") for n, row in numbered], tokenizer)
        both = list(zip(chosen, rejected, strict=True))
        alike += sum(one.ids == other.ids for one, other in both)
        cut = [_cut_pair(one, other, longest) for one, other in both]
        kept = [(prompt, better, worse) for prompt, better, worse in cut if better and worse and better != worse]
        counts.add(read=len(chunk), kept=len(kept), cut=sum(max(len(a.ids), len(b.ids)) > longest for a, b in both))
        tables.append(_table(kept, PAIRS))
    if counts.read and alike == counts.read:
        raise Fault("dataset.equal_pairs", rows=counts.read, dataset=name)
    return as_dataset(tables, counts, longest), counts


def labelled_answers(
    rows: Iterable[PreparedRow], tokenizer: PreTrainedTokenizerBase, *, longest: int, seed: int
) -> tuple[Dataset, Counts]:
    """Columns `prompt_ids`, `completion_ids`, `label`, in an order drawn from the seed. A pair is two answers.

    Files are often sorted by label, and KTO compares the answers that stand together.

    Raises:
        Fault: dataset.row_invalid for a row without an answer or a label, dataset.too_long when no row is left.
    """
    counts, tables = Counts(), []
    for chunk in chunks(_verdicts(rows)):
        encoded = encode([_answered(row, row.completion, n, "labelled") for n, row in chunk], tokenizer)
        kept = [
            (one.ids[: one.prompt], one.ids[one.prompt : longest], row.label)
            for one, (_, row) in zip(encoded, chunk, strict=True)
            if one.prompt < min(longest, len(one.ids))
        ]
        counts.add(read=len(chunk), kept=len(kept), cut=sum(len(one.ids) > longest for one in encoded))
        tables.append(_table(kept, LABELLED))
    found = as_dataset(tables, counts, longest)
    order = list(range(len(found)))
    random.Random(seed).shuffle(order)
    return Dataset(pa.concat_tables(tables).take(order)), counts


def encode(conversations: Sequence[Answered], tokenizer: PreTrainedTokenizerBase) -> list[Encoded]:
    """Prompts with their answers, the end mark included.

    The prompt is what the model is asked with (the template's generation prompt included). Where the template writes
    it differently once it is answered, it ends where the two part. A token over the border belongs to the answer.
    """
    asked = [render(tokenizer, turns, to_be_answered=True) for turns, _ in conversations]
    whole = [
        render(tokenizer, [*turns, {"role": "assistant", "content": answer}], to_be_answered=False)
        for turns, answer in conversations
    ]
    if not whole:
        return []
    tokens = tokenizer(whole, add_special_tokens=False, return_offsets_mapping=True)
    borders = [common_start(*texts) for texts in zip(asked, whole, strict=True)]
    return [
        Encoded(ids, next((n for n, (_, end) in enumerate(offsets) if end > border), len(ids)))
        for ids, offsets, border in zip(tokens["input_ids"], tokens["offset_mapping"], borders, strict=True)
    ]


def common_start(one: Sequence[object], other: Sequence[object]) -> int:
    """How many items both begin with."""
    shorter = min(len(one), len(other))
    if one[:shorter] == other[:shorter]:  # nearly always, and much quicker
        return shorter
    return next(n for n in range(shorter) if one[n] != other[n])


def _cut_pair(chosen: Encoded, rejected: Encoded, longest: int) -> tuple[list[int], list[int], list[int]]:
    """The prompt that both have, and the two answers."""
    shared = common_start(chosen.ids[: chosen.prompt], rejected.ids[: rejected.prompt])
    return chosen.ids[:shared], chosen.ids[shared:longest], rejected.ids[shared:longest]


def _verdicts(rows: Iterable[PreparedRow]) -> Iterator[tuple[int, PreparedRow]]:
    """Labelled answers with the number of the row that holds them."""
    for number, row in enumerate(rows, 1):
        try:
            answers = labelled(row)
        except ValueError as error:
            raise Fault("dataset.row_invalid", row=number, detail=str(error)) from error
        yield from ((number, answer) for answer in answers)


def _answered(row: PreparedRow, answer: str | None, number: int, kind: str) -> Answered:
    if answer is None or not answer.strip():
        raise Fault("dataset.row_invalid", row=number, detail=f"its {kind} answer is empty")
    return turns_of(row), answer


def _table(rows: Sequence[Sequence[object]], schema: pa.Schema) -> pa.Table:
    return pa.table([[row[n] for row in rows] for n in range(len(schema))], schema=schema)
