"""Results kept over models: a row for each model, a column for each dataset and evaluator."""

from dataclasses import dataclass

from whetstone.accounts.models import Team
from whetstone.evaluations.find import evaluations
from whetstone.evaluations.models import Evaluation
from whetstone.evaluations.numbers import Measure, numbers_of
from whetstone.jobs.models import Job
from whetstone.modelhub.models import Model

MOST_COLUMNS, MOST_ROWS, LOOKED_AT = 5, 50, 500


@dataclass(frozen=True)
class Cell:
    evaluation: Evaluation
    measure: Measure
    is_best: bool
    """Of its column."""


@dataclass(frozen=True)
class Column:
    first: Evaluation
    """One of those that stand in it: it says which rows, which evaluator and which settings."""

    @property
    def settings(self) -> dict[str, object]:
        """What was set by hand, and changes the result."""
        given: dict[str, object] = self.first.job.draft.get("settings", {})
        return {name: value for name, value in given.items() if name not in ("batch_size", "precision", "seed")}


@dataclass(frozen=True)
class Row:
    model: Model
    cells: list[Cell | None]


@dataclass(frozen=True)
class Table:
    columns: list[Column]
    rows: list[Row]


def table_of(team: Team) -> Table:
    """The newest columns; of every model the newest result in each."""
    done = evaluations(team).filter(job__status=Job.Status.SUCCEEDED).order_by("-job__created_at", "-job_id")
    by_subject: dict[str, dict[int, Evaluation]] = {}
    for one in done[:LOOKED_AT]:
        if one.subject in by_subject or len(by_subject) < MOST_COLUMNS:
            by_subject.setdefault(one.subject, {}).setdefault(one.job.base_id, one)
    columns = list(by_subject.values())
    models = {one.job.base_id: one.job.base for column in columns for one in column.values()}
    filled = [_cells(column) for column in columns]
    rows = [Row(model, [cells.get(pk) for cells in filled]) for pk, model in list(models.items())[:MOST_ROWS]]
    return Table([Column(next(iter(column.values()))) for column in columns], rows)


def _cells(column: dict[int, Evaluation]) -> dict[int, Cell]:
    means = {pk: measure for pk, one in column.items() if (measure := _mean(one)) is not None}
    best = max((one["value"] for one in means.values()), default=None)
    return {pk: Cell(column[pk], measure, measure["value"] == best) for pk, measure in means.items()}


def _mean(one: Evaluation) -> Measure | None:
    return next((measure for measure in numbers_of(one)["measures"] if measure["name"] == "mean"), None)
