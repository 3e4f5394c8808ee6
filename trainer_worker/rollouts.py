"""Completions sampled in training or in an evaluation, with their grades' whole receipts, as parquet parts."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from contracts.event import RolloutsWritten
from trainer_worker.models import file_ref
from trainer_worker.rewards import Scored
from trainer_worker.spool import SpoolWriter

PART_EVERY_S = 2.0
SCHEMA = pa.schema(
    [
        ("step", pa.int32()),
        ("group", pa.int32()),
        ("prompt", pa.string()),
        ("completion", pa.string()),
        ("item", pa.string()),
        ("reward", pa.float64()),
        ("advantage", pa.float64()),
        ("tokens", pa.int32()),
        ("truncated", pa.bool_()),
        ("grade", pa.string()),
        ("row", pa.int32()),
    ]
)


class RolloutWriter:
    """Gathers rollouts and writes a part every few seconds and before every checkpoint.

    So no part reaches over a checkpoint, and resuming from one supersedes whole parts.
    """

    def __init__(self, folder: Path, spool: SpoolWriter, end_ids: list[int], group_size: int) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._spool = spool
        self._ends = frozenset(end_ids)
        self._group_size = group_size
        self._rows: list[pa.Table] = []
        self._steps: list[int] = []
        self._written_at = time.monotonic()

    def add(
        self, step: int, scored: Scored, advantages: Sequence[float | None], rows: Sequence[int | None] | None = None
    ) -> None:
        """`rows`: of an evaluation, the numbers of the rows that were answered."""
        with self._never_stopping_training(step):
            self._rows.append(self._table(step, scored, advantages, rows or [None] * len(scored.texts)))
            self._steps.append(step)

    def _table(
        self, step: int, scored: Scored, advantages: Sequence[float | None], rows: Sequence[int | None]
    ) -> pa.Table:
        count = len(scored.texts)
        columns = [
            [step] * count,
            [n // self._group_size for n in range(count)],
            ["\n\n".join(turn["content"] for turn in prompt) for prompt in scored.prompts],
            scored.texts,
            scored.items,
            [one.score for one in scored.grades],
            advantages,
            [len(ids) for ids in scored.ids],
            [not ids or ids[-1] not in self._ends for ids in scored.ids],
            [orjson.dumps(one.to_json()).decode() for one in scored.grades],
            rows,
        ]
        return pa.table(columns, schema=SCHEMA)

    def flush_if_due(self) -> None:
        if time.monotonic() - self._written_at >= PART_EVERY_S:
            self.flush()

    def flush(self) -> None:
        """Write what was gathered as one part and say so."""
        if not self._rows:
            return
        rows, steps = self._rows, self._steps
        self._rows, self._steps, self._written_at = [], [], time.monotonic()
        with self._never_stopping_training(steps[-1]):
            self._write(pa.concat_tables(rows), steps)

    def _write(self, table: pa.Table, steps: list[int]) -> None:
        name = f"{steps[0]:08d}-{steps[-1]:08d}.parquet"
        file = self._folder / name
        try:
            pq.write_table(table, file, compression="zstd")
        except OSError:
            file.unlink(missing_ok=True)
            raise
        ref = file_ref(file, name)
        self._spool.append(RolloutsWritten(step=steps[-1], first_step=steps[0], rows=table.num_rows, file=ref))

    @contextmanager
    def _never_stopping_training(self, step: int) -> Iterator[None]:
        try:
            yield
        except (OSError, ValueError, TypeError, pa.ArrowException) as error:
            print(f"rollouts up to step {step} were not kept: {error}")
