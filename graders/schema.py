"""Every grader as a Pydantic model. OpenAI's JSON where OpenAI has the kind.

Source: OpenAI's fine-tuning grader reference (string_check, text_similarity, multi); number and regex are ours.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Template = Annotated[str, Field(max_length=100_000, json_schema_extra={"format": "template"})]


class GraderModel(BaseModel):
    """What every kind of grader has in common."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True, allow_inf_nan=False)

    name: str = Field("", max_length=128, title="Name")
    """How the score is called in charts and formulas."""
    pass_threshold: float | None = Field(None, title="Pass threshold")
    """Scores from here on count as passed. Never changes the reward."""


class StringCheck(GraderModel):
    """Compares two texts: 1 when they match, 0 when not."""

    type: Literal["string_check"] = "string_check"
    input: Template = Field("{{ sample.output_text }}", title="Text")
    """What is looked at, usually the answer."""
    reference: Template = Field("{{ item.reference }}", title="Compared with")
    """What it is compared with, usually a column of the dataset."""
    operation: Literal["eq", "ne", "like", "ilike"] = Field("eq", title="Operation")
    """eq: equal. ne: different. like: contains the reference. ilike: contains it in any case."""


class TextSimilarity(GraderModel):
    """Measures how alike two texts are, from 0 to 1."""

    type: Literal["text_similarity"] = "text_similarity"
    input: Template = Field("{{ sample.output_text }}", title="Text")
    """What is looked at, usually the answer."""
    reference: Template = Field("{{ item.reference }}", title="Compared with")
    """What it is compared with, usually a column of the dataset."""
    evaluation_metric: Literal["fuzzy_match"] = Field("fuzzy_match", title="Metric")
    """fuzzy_match: share of characters that need no edit."""


class Number(GraderModel):
    """Finds a number in the answer: 1 when it is close enough to the right one, 0 when not."""

    type: Literal["number"] = "number"
    input: Template = Field("{{ sample.output_text }}", title="Text")
    """Where the number is looked for, usually the answer."""
    reference: Template = Field("{{ item.reference }}", title="Right number")
    """The right number, usually a column of the dataset."""
    pick: Literal["only", "first", "last"] = Field("last", title="Which number")
    """only: the text is the number and nothing else. first, last: among those in the text."""
    absolute_tolerance: float = Field(0.0, ge=0, title="Absolute tolerance")
    """Difference that still counts as right."""
    relative_tolerance: float = Field(0.0, ge=0, title="Relative tolerance")
    """The same as a share of the right number: 0.01 is one percent."""


class Regex(GraderModel):
    """Looks for a pattern: 1 when it is found (and what it captures is right), 0 when not."""

    type: Literal["regex"] = "regex"
    input: Template = Field("{{ sample.output_text }}", title="Text")
    """What is searched, usually the answer."""
    pattern: str = Field(min_length=1, max_length=10_000, title="Pattern")
    """RE2 syntax: a search in linear time, whatever the pattern. `(?i)` ignores case."""
    reference: Template | None = Field(None, title="Captured text must be")
    """When given, the first group (or the whole match) of the last match must equal this."""


class Multi(GraderModel):
    """Puts several graders together with a formula."""

    type: Literal["multi"] = "multi"
    graders: dict[Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$", max_length=64)], "Grader"] = Field(
        min_length=1, max_length=100, title="Graders"
    )
    """The parts, each under the name that the formula uses."""
    calculate_output: str = Field(min_length=1, max_length=10_000, title="Formula")
    """Like 0.8 * correct + 0.2 * format. Knows + - * / ^, min, max, abs, floor, ceil, exp, sqrt, log."""


Grader = Annotated[StringCheck | TextSimilarity | Number | Regex | Multi, Field(discriminator="type")]

Multi.model_rebuild()
