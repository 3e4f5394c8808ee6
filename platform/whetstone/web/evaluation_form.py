"""The form of a new evaluation: its fields come from the contract, and so do its checks."""

import inspect
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from pydantic import ValidationError

from contracts.evaluation import EvaluationDraft, EvaluationSettings
from contracts.fault import Fault, FaultReport
from whetstone.accounts.models import Team
from whetstone.accounts.scope import owned
from whetstone.datasets.models import DatasetVersion
from whetstone.evaluations.check import Checked, check
from whetstone.evaluators.models import EvaluatorVersion
from whetstone.modelhub.models import Model
from whetstone.web.estimates import Line, promised
from whetstone.workers.pools import pools

WHOLE = ("samples", "limit", "batch_size", "seed", "max_completion_length")
Given = Mapping[str, str]


@dataclass(frozen=True)
class Field:
    """One of the settings, as the contract describes it."""

    name: str
    title: str
    help: str
    value: str
    placeholder: str
    is_basic: bool
    choices: list[str]


def fields_of(given: Given) -> list[Field]:
    schema = EvaluationSettings.model_json_schema()["properties"]
    return [_field(name, about, given.get(name, "")) for name, about in schema.items()]


def _field(name: str, about: dict[str, Any], value: str) -> Field:  # Any: JSON Schema
    default, title, description = about.get("default"), about["title"], inspect.cleandoc(about["description"])
    return Field(
        name=name,
        title=_(title),
        help=_(description),
        value=value,
        placeholder=_("all") if default is None else str(default),
        is_basic=about.get("level") == "basic",
        choices=about.get("enum", []),
    )


@dataclass(frozen=True)
class Choices:
    models: list[str]
    datasets: list[DatasetVersion]
    evaluators: list[EvaluatorVersion]
    pools: list[str]


def choices_of(team: Team, given: Given) -> Choices:
    """What a person can choose, and whatever is chosen already: a checkpoint by its name, say."""
    names = owned(Model, team).filter(task=Model.Task.TEXT, quantization="").values_list("name", flat=True)
    chosen = [given[name] for name in ("model", "baseline") if given.get(name)]
    return Choices(
        models=list(dict.fromkeys([*chosen, *names])),
        datasets=list(owned(DatasetVersion, team).exclude(shape="").select_related("dataset")),
        evaluators=list(owned(EvaluatorVersion, team).select_related("evaluator")),
        pools=pools(),
    )


def draft_of(given: Given) -> EvaluationDraft:
    """Raises pydantic's ValidationError, or Fault request.invalid for a number that is none."""
    settings = {name: _number(name, given[name]) for name in EvaluationSettings.model_fields if given.get(name)}
    document = {name: given.get(name) or None for name in ("model", "dataset", "evaluator")}
    return EvaluationDraft.model_validate(
        document | {"settings": settings, "resources": {"pool": given.get("pool") or "auto"}}
    )


def _number(name: str, text: str) -> int | float | str:
    if text in ("auto", "fp32", "bf16"):
        return text
    try:
        return int(text) if name in WHOLE else float(text)
    except ValueError:
        detail = _("“%(text)s” is no number.") % {"text": text[:40]}
        raise Fault("request.invalid", field=f"settings.{name}", detail=detail) from None


@dataclass(frozen=True)
class Preview:
    """What the page says before the button is pressed."""

    button: str
    """What it does, or what is missing."""
    found: Checked | None = None
    beside: Checked | None = None
    """Of the model to compare with."""
    problems: tuple[FaultReport | str, ...] = ()

    @property
    def promised(self) -> list[Line]:
        """Of the first model."""
        return promised(self.found.place) if self.found and self.found.place else []

    @property
    def is_ready(self) -> bool:
        return self.found is not None and not self.problems


def preview(team: Team, given: Given) -> Preview:
    for name, wanted in _wanted().items():
        if not given.get(name):
            return Preview(wanted)
    try:
        draft = draft_of(given)
    except Fault as fault:
        return Preview(_("Mend the settings"), problems=(fault.report,))
    except ValidationError as error:
        return Preview(_("Mend the settings"), problems=tuple(_sentences(error)))
    found = check(team, draft)
    baseline = given.get("baseline", "")
    beside = check(team, draft.model_copy(update={"model": baseline})) if baseline else None
    problems = [*found.problems, *(one for one in (beside.problems if beside else ()) if one not in found.problems)]
    button = _("Evaluate both") if beside else _("Evaluate")
    return Preview(_("Mend what is wrong") if problems else button, found, beside, tuple(problems))


def _wanted() -> dict[str, str]:
    return {
        "model": _("Choose a model"),
        "dataset": _("Choose a dataset"),
        "evaluator": _("Choose an evaluator"),
    }


def _sentences(error: ValidationError) -> Iterator[str]:
    titles = {name: field.title or name for name, field in EvaluationSettings.model_fields.items()}
    for one in error.errors():
        name = next((str(part) for part in one["loc"] if part in titles), "")
        yield f"{_(titles[name])}: {one['msg']}" if name else one["msg"]
