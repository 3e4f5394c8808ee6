"""Graders that compare numbers and other mathematics."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field, StringConstraints

from graders.schema.base import ANSWER, REFERENCE, GraderModel, Template

Unit = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=40)]


class Number(GraderModel):
    """Finds a number in the answer: 1 when it is close enough to the right one, 0 when not."""

    model_config = ConfigDict(title="Number", json_schema_extra={"group": "numbers"})

    type: Literal["number"] = "number"
    input: Template = Field(ANSWER, title="Text")
    """Where the number is looked for, usually the answer."""
    reference: Template = Field(REFERENCE, title="Right number")
    """The right number, usually a column of the dataset."""
    pick: Literal["only", "first", "last"] = Field("last", title="Which number")
    """only: the text is the number and nothing else. first, last: among those in the text."""
    absolute_tolerance: float = Field(0.0, ge=0, title="Absolute tolerance")
    """Difference that still counts as right."""
    relative_tolerance: float = Field(0.0, ge=0, title="Relative tolerance")
    """The same as a share of the right number: 0.01 is one percent."""
    units: tuple[Unit, ...] = Field((), max_length=50, title="Units")
    """When given, only numbers with one of these beside them count: dollars, $, km. Nothing is converted."""


class Math(GraderModel):
    """Compares mathematics, as LaTeX or plain: 1 when both mean the same, 0 when not."""

    model_config = ConfigDict(title="Mathematics", json_schema_extra={"group": "numbers"})

    type: Literal["math"] = "math"
    input: Template = Field(ANSWER, title="Text")
    """Where the result is looked for, usually the answer."""
    reference: Template = Field(REFERENCE, title="Right answer")
    """An expression, or a solution that ends with one. Usually a column of the dataset."""
    find: Literal["anywhere", "boxed"] = Field("anywhere", title="Where it stands")
    r"""anywhere: what stands in \boxed{}, else the last formula or number. boxed: in the last \boxed{} alone."""
    decimals: int = Field(6, ge=0, le=30, title="Decimals")
    """To how many digits after the point numbers must agree."""
    timeout_s: float = Field(5.0, ge=0.1, le=60, title="Time limit")
    """Seconds that one answer may take."""
