"""Graders that compare numbers."""

from typing import Literal

from pydantic import ConfigDict, Field

from graders.schema.base import ANSWER, REFERENCE, GraderModel, Template


class Number(GraderModel):
    """Finds a number in the answer: 1 when it is close enough to the right one, 0 when not."""

    model_config = ConfigDict(title="Number")

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
