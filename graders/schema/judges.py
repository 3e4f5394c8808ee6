"""Graders that ask a language model: a judge."""

from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo, field_validator, model_validator

from graders.problem import Mistake, likely, quoted
from graders.schema.base import BASIC, GraderModel, Template, Turns

JudgeName = Annotated[
    str, Field(min_length=1, max_length=256, title="Judge", json_schema_extra=BASIC | {"format": "judge"})
]
# What a judge's fields begin with on a page.
SCORED = [
    {
        "role": "system",
        "content": "You grade answers. Give 1 when the answer is right and complete, 0 when it is wrong, and a number "
        "between for what is partly right.",
    },
    {
        "role": "user",
        "content": "The right answer: {{ item.reference }}\n\nThe answer to grade: {{ sample.output_text }}",
    },
]
LABELLED = [
    {"role": "system", "content": "You say whether an answer is good or bad."},
    {"role": "user", "content": "{{ sample.output_text }}"},
]
CRITERIA = [{"text": "The answer is right.", "weight": 2}, {"text": "The answer is easy to understand.", "weight": 1}]
MAX_LABELS = 100
MAX_CRITERIA = 50


def _our_spelling(given: object) -> object:
    """OpenAI's reference says `max_completions_tokens`; everywhere else it is `max_completion_tokens`."""
    if not isinstance(given, dict) or "max_completion_tokens" not in given:
        return given
    rest = {key: value for key, value in given.items() if key != "max_completion_tokens"}
    return {"max_completions_tokens": given["max_completion_tokens"]} | rest


class SamplingParams(BaseModel):
    """How the judge's answer is drawn. What is not given is left to the judge's server."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True, allow_inf_nan=False)

    temperature: float | None = Field(None, ge=0, le=2, title="Temperature")
    """0: the likeliest answer."""
    top_p: float | None = Field(None, gt=0, le=1, title="Top p")
    """Share of the likeliest tokens that are drawn from."""
    seed: int | None = Field(None, title="Seed")
    """The same seed draws the same answer, where the judge's server keeps to it."""
    max_completions_tokens: int | None = Field(None, ge=1, title="Most tokens")
    """Longest answer of the judge."""
    reasoning_effort: Literal["none", "minimal", "low", "medium", "high", "xhigh"] | None = Field(
        None, title="Reasoning effort"
    )
    """How long a reasoning model thinks first."""


Sampling = Annotated[SamplingParams | None, BeforeValidator(_our_spelling)]


class ScoreModel(GraderModel):
    """Asks a judge for a number: what your messages tell it to look at, within the range."""

    model_config = ConfigDict(title="Judge's score", json_schema_extra={"group": "models"})

    type: Literal["score_model"] = "score_model"
    model: JudgeName
    """Name of a judge, as the settings page lists them."""
    input: Turns = Field(title="Messages", examples=[SCORED])
    """What the judge is told and asked: messages with role and content, which may hold templates."""
    range: tuple[float, float] = Field((0.0, 1.0), title="Range")
    """Lowest and highest score. A result beyond is moved to the nearer end."""
    sampling_params: Sampling = Field(None, title="Sampling")
    """Temperature, top_p, seed, max_completions_tokens and reasoning_effort of the judge."""

    @field_validator("range")
    @classmethod
    def _rises(cls, limits: tuple[float, float]) -> tuple[float, float]:
        if limits[0] >= limits[1]:
            raise Mistake("judge.range")
        return limits


class LabelModel(GraderModel):
    """Asks a judge for a label: 1 when it is one of those that pass, 0 when not."""

    model_config = ConfigDict(title="Judge's label", json_schema_extra={"group": "models"})

    type: Literal["label_model"] = "label_model"
    model: JudgeName
    """Name of a judge, as the settings page lists them."""
    input: Turns = Field(title="Messages", examples=[LABELLED])
    """What the judge is told and asked: messages with role and content, which may hold templates."""
    labels: tuple[Annotated[str, Field(min_length=1)], ...] = Field(
        min_length=1, max_length=MAX_LABELS, title="Labels", examples=[["good", "bad"]], json_schema_extra=BASIC
    )
    """What the judge chooses from."""
    passing_labels: tuple[str, ...] = Field(
        min_length=1, title="Passing labels", examples=[["good"]], json_schema_extra=BASIC
    )
    """The labels that score 1."""
    sampling_params: Sampling = Field(None, title="Sampling")
    """Temperature, top_p, seed, max_completions_tokens and reasoning_effort of the judge."""

    @field_validator("passing_labels")
    @classmethod
    def _are_labels(cls, passing: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        labels = info.data.get("labels", passing)
        for label in passing:
            if label not in labels:
                raise Mistake("judge.not_a_label", likely(label, labels), label=quoted(label))
        return passing


class Criterion(BaseModel):
    """One thing that a judge looks for."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True, allow_inf_nan=False)

    text: Template = Field(min_length=1, title="What is looked for")
    weight: float = Field(1.0, title="Weight")
    """Below 0 takes points away."""
    name: str = Field("", max_length=128, title="Name")
    """How it is called on the receipt."""


class Rubric(GraderModel):
    """Asks a judge criterion by criterion. The score is the weighted share of the criteria that are met."""

    model_config = ConfigDict(title="Rubric", json_schema_extra={"group": "models"})

    type: Literal["rubric"] = "rubric"
    model: JudgeName
    """Name of a judge, as the settings page lists them."""
    criteria: tuple[Criterion, ...] | None = Field(
        None, max_length=MAX_CRITERIA, title="Criteria", examples=[CRITERIA], json_schema_extra=BASIC
    )
    """Each with a text, a weight (1 without; below 0 takes points away) and a name."""
    rubric: Template | None = Field(None, title="Criteria of the row")
    """Instead of criteria: where a row holds its own, like {{ item.rubric }}: a list, or a line for each."""
    input: Turns | None = Field(None, title="Conversation")
    """What is judged, as messages with templates. Empty: the row's prompt and the answer to it."""
    sampling_params: Sampling = Field(None, title="Sampling")
    """Temperature, top_p, seed, max_completions_tokens and reasoning_effort of the judge."""

    @field_validator("criteria")
    @classmethod
    def _can_be_met(cls, criteria: tuple[Criterion, ...] | None) -> tuple[Criterion, ...] | None:
        if criteria is not None and not any(one.weight > 0 for one in criteria):
            raise Mistake("rubric.no_weight")
        return criteria

    @model_validator(mode="after")
    def _has_criteria(self) -> "Rubric":
        if (self.criteria is None) == (self.rubric is None):
            raise Mistake("rubric.which")
        return self
