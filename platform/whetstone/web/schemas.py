"""The contracts' JSON Schemas in the reader's language: what the forms are drawn from."""

from typing import Any, cast

from django.utils.translation import gettext
from pydantic import TypeAdapter

from contracts.method import CanonicalMethod
from graders.schema import Grader
from whetstone.accounts.models import Team
from whetstone.accounts.scope import owned
from whetstone.evaluators.models import Judge
from whetstone.modelhub.models import Model

SPOKEN = ("title", "description")


GRADER: TypeAdapter[Any] = TypeAdapter(Grader)
METHOD: TypeAdapter[Any] = TypeAdapter(CanonicalMethod)


def grader_schema() -> dict[str, Any]:
    return cast(dict[str, Any], _translated(GRADER.json_schema()))


def known_names(team: Team) -> dict[str, list[str]]:
    """What the team has that graders name, by the format of the field that takes it."""
    reward_models = owned(Model, team).filter(task=Model.Task.REWARD)
    return {
        "reward-model": list(reward_models.values_list("name", flat=True)),
        "judge": list(owned(Judge, team).values_list("name", flat=True)),
    }


def method_schema() -> dict[str, Any]:
    """The methods under their own names, without OpenAI's two aliases."""
    return cast(dict[str, Any], _translated(METHOD.json_schema()))


def _translated(schema: Any) -> Any:
    """A copy whose titles and descriptions are translated; a field that is called “title” is an object, and left."""
    if isinstance(schema, list):
        return [_translated(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        key: gettext(value) if key in SPOKEN and isinstance(value, str) and value else _translated(value)
        for key, value in schema.items()
    }
