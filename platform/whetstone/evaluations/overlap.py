"""Was the model trained on what it is asked? Told by its whole lineage, prompt by prompt."""

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b

import orjson

from contracts.dataset import PreparedRow, prepare
from contracts.evaluation import EvaluationSpec
from whetstone.artifacts.store import open_blob
from whetstone.datasets.lines import rows_of
from whetstone.datasets.models import DatasetVersion
from whetstone.evaluations.models import Evaluation, Overlap
from whetstone.jobs.models import Job
from whetstone.jobs.provenance import origin_of
from whetstone.modelhub.models import Model

MOST_ROWS = 1_000_000
"""Of a dataset whose prompts are counted while somebody waits."""


@dataclass(frozen=True)
class Seen:
    """A dataset that the model, or one that it comes from, was trained on."""

    job: Job
    dataset: DatasetVersion
    rows: frozenset[int] | None
    """Of the evaluated rows those that it holds, too. None where it is too large to be looked through."""


@dataclass(frozen=True)
class Overlaps:
    seen: list[Seen]
    """One for each training that the model comes from, the latest first."""
    rows: int
    """How many of the evaluated rows were trained on."""
    of: int

    @property
    def unchecked(self) -> list[DatasetVersion]:
        return [one.dataset for one in self.seen if one.rows is None]


def overlaps_of(evaluation: Evaluation) -> Overlaps:
    spec, evaluated = evaluation.job.job_spec, evaluation.job.validation
    assert isinstance(spec, EvaluationSpec)
    assert evaluated  # an evaluation has one
    taken = range(spec.answering.rows)
    seen = []
    for job in trainings_of(evaluation.job.base):
        assert job.training  # a training has one
        rows = common_rows(evaluated, job.training)
        seen.append(Seen(job, job.training, None if rows is None else frozenset(n for n in rows if n in taken)))
    return Overlaps(seen, len(frozenset().union(*(one.rows or () for one in seen))), len(taken))


def trainings_of(model: Model) -> list[Job]:
    """The jobs that made a model, its base, that one's base and so on: the latest first."""
    found: list[Job] = []
    current: Model | None = model
    while current is not None:
        origin = origin_of(current)
        if origin is None:
            current = current.base
            continue
        if origin.job in found:
            break
        found.append(origin.job)
        current = origin.job.base
    return found


def common_rows(evaluated: DatasetVersion, trained: DatasetVersion) -> list[int] | None:
    """Numbers of the evaluated rows whose prompt the other version holds, too. None: too large."""
    known = Overlap.objects.filter(evaluated=evaluated, trained=trained).first()
    if known is not None:
        rows: list[int] = known.rows
        return rows
    if max(evaluated.rows, trained.rows) > MOST_ROWS:
        return None
    there = set(_prints(trained))
    found = [n for n, one in enumerate(_prints(evaluated)) if one in there]
    Overlap.objects.get_or_create(evaluated=evaluated, trained=trained, defaults={"rows": found})
    return found


def _prints(version: DatasetVersion) -> Iterator[bytes]:
    """A hash of every row's prompt."""
    mapping = version.column_mapping
    with open_blob(version.blob) as file:
        for _number, _offset, _line, row in rows_of(file):
            try:
                yield _print(prepare(row, mapping))
            except ValueError:  # whoever reads the row to train or to answer says what is wrong with it
                yield b""


def _print(row: PreparedRow) -> bytes:
    """The same for prompts that differ in spaces, capitals and the system's words alone."""
    turns = [(turn.role, " ".join(turn.content.casefold().split())) for turn in row.prompt if turn.role != "system"]
    return blake2b(orjson.dumps(turns), digest_size=12).digest()
