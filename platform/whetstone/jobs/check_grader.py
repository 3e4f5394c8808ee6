"""Can this grader be asked, and does the dataset have what it reads?"""

from contracts.fault import Fault, FaultReport
from graders import item_columns, models_of
from graders.schema import Grader
from whetstone.accounts.models import Team
from whetstone.datasets.models import DatasetVersion
from whetstone.evaluators.judges import missing_outside
from whetstone.jobs.noting import noting
from whetstone.modelhub.find import find_scorer
from whetstone.modelhub.models import Model


def check_grader(team: Team, grader: Grader, param: str, problems: list[FaultReport], *, is_saved: bool) -> list[Model]:
    """The reward models that it asks. What it lacks becomes a problem at the field `param`, or at its place in it."""
    scorers: list[Model] = []
    for name, path in models_of(grader).items():
        with noting(problems):
            scorers.append(find_scorer(team, name, param=param if is_saved else f"{param}.{path}"))
    for path, fault in missing_outside(team, grader):
        place = param if is_saved else f"{param}.{path}"
        problems.append(fault.report.model_copy(update={"field": place}))
    return scorers


def check_columns(grader: Grader, version: DatasetVersion, param: str) -> None:
    """Raises Fault evaluator.column_missing."""
    names = version.item_names
    for column in sorted(item_columns(grader)):
        if column not in names:
            columns = ", ".join(names) or "–"
            raise Fault("evaluator.column_missing", field=param, column=column, columns=columns)
