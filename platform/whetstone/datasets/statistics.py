"""Counting what the rows hold, in the pass that proves the mapping."""

from collections import Counter
from dataclasses import dataclass, field
from typing import IO

from contracts.dataset import ColumnMapping, PreparedRow, Row, prepare
from contracts.fault import Fault
from whetstone.datasets.answers import Answers, Lengths, Part
from whetstone.datasets.lines import rows_of


@dataclass
class Tally:
    """Counts rows as they pass. Lengths are counted by value: a file has few different ones, however long it is."""

    rows: int = 0
    answered: int = 0
    empty: int = 0
    empty_rejected: int = 0
    equal: int = 0
    labels: Counter[bool] = field(default_factory=Counter)
    first_unanswered: int | None = None
    first_empty: int | None = None
    first_empty_rejected: int | None = None
    lengths: dict[Part, Counter[int]] = field(default_factory=dict)

    def add(self, row: PreparedRow) -> None:
        self.rows += 1
        self._measure("prompt", sum(len(turn.content) for turn in row.prompt))
        if row.completion is None:
            self.first_unanswered = self.first_unanswered or self.rows
            return
        self.answered += 1
        self._measure("answer", len(row.completion))
        if not row.completion.strip():
            self.empty += 1
            self.first_empty = self.first_empty or self.rows
        elif row.rejected is not None and not row.rejected.strip():
            self.empty_rejected += 1
            self.first_empty_rejected = self.first_empty_rejected or self.rows
        if row.label is not None:
            self.labels[row.label] += 1
        if row.rejected is not None:
            self._measure("rejected", len(row.rejected))
            self.equal += row.completion == row.rejected

    def _measure(self, part: Part, length: int) -> None:
        self.lengths.setdefault(part, Counter())[length] += 1

    def found(self) -> Answers:
        return Answers(
            answered=self.answered,
            first_unanswered=self.first_unanswered,
            empty=self.empty,
            first_empty=self.first_empty,
            empty_rejected=self.empty_rejected,
            first_empty_rejected=self.first_empty_rejected,
            equal=self.equal,
            good=self.labels[True],
            bad=self.labels[False],
            characters={part: _lengths(counted) for part, counted in self.lengths.items()},
        )


def _lengths(counted: Counter[int]) -> Lengths:
    return Lengths(median=_below(counted, 0.5), p95=_below(counted, 0.95), longest=max(counted))


def _below(counted: Counter[int], share: float) -> int:
    """The smallest length that at least this share of the texts does not exceed."""
    wanted, seen = share * counted.total(), 0
    for length in sorted(counted):
        seen += counted[length]
        if seen >= wanted:
            return length
    return 0


def prove(file: IO[bytes], mapping: ColumnMapping) -> Answers:
    """Read every row as the mapping says.

    Raises:
        Fault: dataset.row_invalid, with the row's number and the reason.
    """
    tally = Tally()
    for _line, _offset, _raw, row in rows_of(file):
        tally.add(read(row, mapping, tally.rows + 1))
    return tally.found()


def read(row: Row, mapping: ColumnMapping, number: int) -> PreparedRow:
    """One row. Raises Fault dataset.row_invalid with its number."""
    try:
        return prepare(row, mapping)
    except ValueError as error:
        raise Fault("dataset.row_invalid", row=number, detail=str(error)) from None
