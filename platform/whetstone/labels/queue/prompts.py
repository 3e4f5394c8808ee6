"""Prompts of a dataset: both answers are sampled while the person before reads."""

from collections.abc import Iterator

from contracts.dataset import prepare
from contracts.fault import Fault
from whetstone.datasets.lines import read_rows
from whetstone.datasets.models import DatasetVersion
from whetstone.labels.queue.pair import Pair
from whetstone.labels.said import PromptTurn

ROWS_AT_ONCE = 50


class Prompts:
    def __init__(self, version: DatasetVersion) -> None:
        """Raises Fault dataset.not_mapped."""
        if not version.shape:
            raise Fault("dataset.not_mapped", field="source", dataset=str(version))
        self.version = version

    def pairs(self, start: int) -> Iterator[Pair | None]:
        source = f"dataset:{self.version}"
        while rows := read_rows(self.version, start, ROWS_AT_ONCE):
            for row in rows:
                prompt = prepare(row, self.version.column_mapping).prompt
                turns = tuple(PromptTurn(role=turn.role, content=turn.content) for turn in prompt)
                yield Pair(turns, (), source)
            start += len(rows)
