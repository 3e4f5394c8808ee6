"""Which grader is tried, and on what: answers sent along, rows of a dataset, or what a job's model answered."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NotRequired

from django.utils.translation import gettext as _
from ninja import Schema
from pydantic import Field, JsonValue
from typing_extensions import TypedDict  # Pydantic reads no other before Python 3.12

from contracts.dataset import PreparedRow, prepare
from contracts.fault import Fault
from graders import Grader, parse, sample_of
from graders.attack import Target
from whetstone.accounts.models import Team
from whetstone.accounts.scope import owned
from whetstone.datasets.find import find_version
from whetstone.datasets.lines import read_rows
from whetstone.evaluators.find import find_evaluator
from whetstone.jobs.models import Job
from whetstone.jobs.rollouts import Order, Rollout, rollouts

MOST = 1000
LARGEST = 2**31 - 1
Json = dict[str, JsonValue]


class Named(Schema):
    """A grader: its JSON, or a saved evaluator (`math@3`, or `math` for the newest). One of the two."""

    grader: JsonValue = None
    evaluator: str | None = None


class Source(Schema):
    """What a grader is tried on: `samples` with their `items`, rows of a `dataset`, or rollouts of a `job`."""

    samples: list[Json] | None = Field(None, max_length=MOST)
    """With OpenAI's keys, like output_text. Beside a dataset they stand in for the answers of its first rows."""
    items: list[Json] | None = Field(None, max_length=MOST)
    """Rows for the samples. Without, each has an empty one."""
    dataset: str | None = None
    """An id, `name@2`, or `name` for the newest: each row's own answer or reference is the sample."""
    job: str | None = None
    """An id: what its model answered in training, as far as it is still stored."""
    offset: int = Field(0, ge=0, le=LARGEST)
    limit: int = Field(5, ge=1, le=MOST)
    order: Order = "newest"
    """Of a job's rollouts."""
    step: int | None = Field(None, ge=0, le=LARGEST)
    """Of a job's rollouts: those of this step alone."""


class Stored(TypedDict):
    """At which step of a job an answer was sampled, and the reward that it got."""

    step: int
    reward: float | None


class Told(TypedDict):
    """What was graded. `row` counts from 0 in the source."""

    row: int
    sample: Json
    item: Json
    stored: NotRequired[Stored]


@dataclass(frozen=True)
class Rows:
    """Samples and the rows that they answer, in the same order."""

    samples: list[Json]
    items: list[Json]
    first: int = 0
    """The number of the first one in its source, counted from 0."""
    stored: Sequence[Stored] | None = None
    """Of a job's answers."""

    def __len__(self) -> int:
        return len(self.samples)

    def told(self, n: int) -> Told:
        """The row as the API shows it beside its grade."""
        known: Told = {"row": self.first + n, "sample": self.samples[n], "item": self.items[n]}
        return known if self.stored is None else {**known, "stored": self.stored[n]}


def grader_of(team: Team, named: Named) -> Grader:
    """Raises GraderError, or Fault evaluator.not_found or request.invalid."""
    if (named.grader is None) == (named.evaluator is None):
        detail = _("Give either a grader or the name of an evaluator.")
        raise Fault("request.invalid", field="grader", detail=detail)
    return find_evaluator(team, named.evaluator).grader if named.evaluator is not None else parse(named.grader)


def rows_of(team: Team, source: Source) -> Rows:
    """Raises Fault: dataset.not_found, dataset.not_mapped, job.not_found, job.no_rollouts."""
    if source.job is not None and source.dataset is None and source.samples is None:
        return _rollouts(team, source.job, source)
    if source.dataset is not None and source.job is None and source.items is None:
        return _dataset(team, source.dataset, source)
    if source.samples is not None and source.dataset is None and source.job is None:
        return _own(source.samples, source.items)
    raise Fault("request.invalid", field="samples", detail=_("Give one of these: samples, a dataset, a job."))


def _own(given: list[Json], items: list[Json] | None) -> Rows:
    samples = [sample_of({"prompt": []} | sample) for sample in given]
    if items is not None and len(items) != len(samples):
        raise Fault("request.invalid", field="items", detail=_("Give as many items as samples."))
    return Rows(samples, items if items is not None else [{} for _sample in samples])


def _dataset(team: Team, dataset: str, source: Source) -> Rows:
    rows = prepared(team, dataset, source.offset, source.limit)
    given = source.samples or []
    own: list[Json] = [{"output_text": _answer(row)} for row in rows]
    tried = [*given[: len(own)], *own[len(given) :]]
    samples = [sample_of({"prompt": prompt_of(row), **sample}) for row, sample in zip(rows, tried, strict=True)]
    return Rows(samples, [row.item for row in rows], source.offset)


def _rollouts(team: Team, job_id: str, source: Source) -> Rows:
    """The completion, its tokens and its row are as they were. The prompt is one message: the turns before it are
    stored as one text, without their roles. What a newer grader may read and training never had (tool calls) is absent.
    """
    job = owned(Job, team).select_related("team").filter(id=job_id).first()
    if job is None:
        raise Fault("job.not_found", field="job", job=job_id)
    try:
        found = rollouts(job, step=source.step, order=source.order, limit=source.limit, offset=source.offset)
    except FileNotFoundError:  # retention was faster
        raise Fault("job.no_rollouts", field="job", job=job.label) from None
    if not found["total"]:
        raise Fault("job.no_rollouts", field="job", job=job.label)
    rows = found["rows"]
    return Rows(
        [sample_of(_sampled(row)) for row in rows],
        [row["item"] for row in rows],
        source.offset,
        [{"step": row["step"], "reward": row["reward"]} for row in rows],
    )


def _sampled(row: Rollout) -> Json:
    prompt: JsonValue = [{"role": "user", "content": row["prompt"]}]
    return {"prompt": prompt, "output_text": row["completion"], "output_tokens": row["tokens"]}


def prepared(team: Team, dataset: str, offset: int, limit: int) -> list[PreparedRow]:
    version = find_version(team, dataset, param="dataset")
    if not version.shape:
        raise Fault("dataset.not_mapped", field="dataset", dataset=str(version))
    return [prepare(row, version.column_mapping) for row in read_rows(version, offset, limit)]


def targets_of(rows: Sequence[PreparedRow]) -> list[Target]:
    """The rows with their right answers. An answer that is labelled as a bad one is none."""
    return [Target(_turns(row), _reference(row) if row.label is False else _answer(row), row.item) for row in rows]


def _answer(row: PreparedRow) -> str:
    """The answer that the row holds, or its reference."""
    return row.completion if row.completion is not None else _reference(row)


def _reference(row: PreparedRow) -> str:
    value = row.item.get("reference")
    return value if isinstance(value, str) else "" if value is None else str(value)


def _turns(row: PreparedRow) -> list[dict[str, str]]:
    return [{"role": turn.role, "content": turn.content} for turn in row.prompt]


def prompt_of(row: PreparedRow) -> JsonValue:
    return [{**turn} for turn in _turns(row)]
