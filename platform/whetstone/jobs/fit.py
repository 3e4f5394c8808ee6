"""How long a dataset's rows are in tokens of a model, before a job finds out."""

from collections.abc import Iterator
from functools import lru_cache

from contracts import Contract
from contracts.dataset import PreparedRow, prepare
from whetstone.datasets.lines import ROWS_PER_OFFSET, read_rows
from whetstone.datasets.models import DatasetVersion
from whetstone.modelhub.models import Model
from whetstone.modelhub.tokenizer import tokenizer_of

PLACES, ROWS_A_PLACE = 20, 50


class Fit(Contract):
    """Tokens of a prompt with its longest answer, without the few marks that a chat template adds."""

    rows: int
    """How many were counted: from 20 places of a long file, 50 rows each."""
    median: int
    p95: int
    longest: int
    context: int
    over: int
    """Rows that are longer than the model's context."""


@lru_cache(maxsize=256)
def fit(version: DatasetVersion, model: Model) -> Fit | None:
    """Neither ever changes. None without a mapping or a tokenizer."""
    tokenizer = tokenizer_of(model)
    if tokenizer is None or not version.shape:
        return None
    encoded = tokenizer.encode_batch([_text(row) for row in _sample(version)], add_special_tokens=False)
    lengths = sorted(len(row) for row in encoded)
    return Fit(
        rows=len(lengths),
        median=lengths[len(lengths) // 2],
        p95=lengths[len(lengths) * 95 // 100],
        longest=lengths[-1],
        context=model.context_length,
        over=sum(length > model.context_length for length in lengths),
    )


def _sample(version: DatasetVersion) -> Iterator[PreparedRow]:
    """The whole of a short file; of a long one rows from places spread over it, where the file can be entered."""
    whole = version.rows <= PLACES * ROWS_A_PLACE
    step = version.rows if whole else version.rows // PLACES
    for place in range(0, version.rows, step):
        offset = place if step < ROWS_PER_OFFSET else place - place % ROWS_PER_OFFSET
        for row in read_rows(version, offset, version.rows if whole else ROWS_A_PLACE):
            yield prepare(row, version.column_mapping)


def _text(row: PreparedRow) -> str:
    answer = max(row.completion or "", row.rejected or "", key=len)
    return "\n".join([*(turn.content for turn in row.prompt), answer])
