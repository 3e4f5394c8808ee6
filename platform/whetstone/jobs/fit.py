"""How long a dataset's rows are in tokens of a model, before a job finds out."""

from collections.abc import Iterator

from contracts import Contract
from contracts.dataset import PreparedRow, prepare
from whetstone.datasets.lines import ROWS_PER_OFFSET, read_rows
from whetstone.datasets.models import DatasetVersion
from whetstone.modelhub.models import Model
from whetstone.modelhub.tokenizer import tokenizer_of

PLACES, ROWS_A_PLACE = 20, 50
KEPT = 256


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
    tokens_a_character: float


_counted: dict[tuple[str, int], Fit] = {}
"""What this process has counted, by version and model: neither ever changes."""


def known_fit(version: DatasetVersion, model: Model) -> Fit | None:
    """What was counted before, at no cost."""
    return _counted.get((version.pk, model.pk)) if model.pk else None


def fit(version: DatasetVersion, model: Model) -> Fit | None:
    """None without a mapping or a tokenizer."""
    found = known_fit(version, model) or _count(version, model)
    if found is not None and model.pk:
        if len(_counted) >= KEPT:
            _counted.pop(next(iter(_counted)), None)
        _counted[(version.pk, model.pk)] = found
    return found


def _count(version: DatasetVersion, model: Model) -> Fit | None:
    tokenizer = tokenizer_of(model)
    if tokenizer is None or not version.shape:
        return None
    texts = [_text(row) for row in _sample(version)]
    encoded = tokenizer.encode_batch(texts, add_special_tokens=False)
    lengths = sorted(len(row) for row in encoded)
    return Fit(
        rows=len(lengths),
        median=lengths[len(lengths) // 2],
        p95=lengths[len(lengths) * 95 // 100],
        longest=lengths[-1],
        context=model.context_length,
        over=sum(length > model.context_length for length in lengths),
        tokens_a_character=sum(lengths) / max(1, sum(map(len, texts))),
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
