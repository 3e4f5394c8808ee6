"""Rewards to begin with, each with answers that show it right and wrong. A JSON file beside this one is one of them."""

import json
from collections.abc import Iterator
from functools import cache
from importlib import resources
from typing import Literal

from django.utils.translation import gettext
from pydantic import BaseModel, ConfigDict, JsonValue
from typing_extensions import TypedDict  # Pydantic reads no other before Python 3.12

from whetstone.accounts.models import Team
from whetstone.accounts.scope import owned
from whetstone.evaluators.models import Judge
from whetstone.modelhub.models import Model

ORDER = (
    "exact_answer",
    "math",
    "format_and_correctness",
    "tool_call",
    "json_extraction",
    "code_with_tests",
    "concise_reasoning",
    "judge_with_rubric",
    "preference_model",
)
YOUR_JUDGE, YOUR_REWARD_MODEL = "your-judge", "your-reward-model"
"""Stand in a template for names that only the team knows."""


class _Read(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Example(_Read):
    """An answer, and what somebody who knows says of it."""

    says: Literal["right", "wrong", "half"]
    why: str
    sample: dict[str, JsonValue]
    item: dict[str, JsonValue]


class Template(_Read):
    """A grader that works at once. Titles, promises and reasons are gettext message ids."""

    title: str
    promise: str
    grader: JsonValue
    samples: tuple[Example, ...]


class ExampleJson(TypedDict):
    says: Literal["right", "wrong", "half"]
    why: str
    sample: dict[str, JsonValue]
    item: dict[str, JsonValue]


class TemplateJson(TypedDict):
    """A template in the reader's language, with the names that the team knows."""

    id: str
    title: str
    promise: str
    grader: JsonValue
    samples: list[ExampleJson]


@cache
def templates() -> dict[str, Template]:
    """By id, the easiest first."""
    folder = resources.files(__package__)
    return {name: Template.model_validate_json((folder / f"{name}.json").read_bytes()) for name in ORDER}


def templates_for(team: Team) -> list[TemplateJson]:
    """In the reader's language, with the team's first judge and newest reward model in place of the placeholders."""
    judge = owned(Judge, team).values_list("name", flat=True).first()
    reward_model = owned(Model, team).filter(task=Model.Task.REWARD).values_list("name", flat=True).first()
    names = {YOUR_JUDGE: judge or YOUR_JUDGE, YOUR_REWARD_MODEL: reward_model or YOUR_REWARD_MODEL}
    return [_told(name, template, names) for name, template in templates().items()]


def preference_grader(reward_model: str) -> JsonValue:
    """The grader of the template “Preference model”, with this reward model of the team's."""
    return _named(templates()["preference_model"].grader, {YOUR_REWARD_MODEL: reward_model})


def _told(name: str, template: Template, names: dict[str, str]) -> TemplateJson:
    return {
        "id": name,
        "title": gettext(template.title),
        "promise": gettext(template.promise),
        "grader": _named(template.grader, names),
        "samples": [_spoken(one) for one in template.samples],
    }


def _spoken(example: Example) -> ExampleJson:
    return {"says": example.says, "why": gettext(example.why), "sample": example.sample, "item": example.item}


def _named(grader: JsonValue, names: dict[str, str]) -> JsonValue:
    text = json.dumps(grader)
    for placeholder, name in names.items():
        text = text.replace(json.dumps(placeholder), json.dumps(name))
    named: JsonValue = json.loads(text)
    return named


def texts() -> Iterator[str]:
    """All that is translated."""
    for template in templates().values():
        yield from (template.title, template.promise)
        yield from (one.why for one in template.samples)
