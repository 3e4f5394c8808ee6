"""Every grader as a Pydantic model, a file a family. OpenAI's JSON where OpenAI has the kind.

Source: OpenAI's fine-tuning grader reference (string_check, text_similarity, multi); the others are ours. Templates,
patterns and formulas are read here too, so that no door lets in a grader that cannot run; what is wrong with them is a
`Mistake`.
"""

from typing import Annotated

from pydantic import Field

from graders.schema.base import GraderModel, Template, Turn, templates
from graders.schema.composed import MAX_DEPTH, Multi
from graders.schema.models import RewardModelGrader
from graders.schema.numbers import Number
from graders.schema.shape import Language, Length, Repetition
from graders.schema.structure import Format, JsonSchema, ToolCall
from graders.schema.text import Regex, StringCheck, TextSimilarity

Grader = Annotated[
    StringCheck
    | TextSimilarity
    | Number
    | Regex
    | JsonSchema
    | Format
    | ToolCall
    | Length
    | Repetition
    | Language
    | RewardModelGrader
    | Multi,
    Field(discriminator="type"),
]

Multi.model_rebuild()

__all__ = [
    "MAX_DEPTH",
    "Format",
    "Grader",
    "GraderModel",
    "JsonSchema",
    "Language",
    "Length",
    "Multi",
    "Number",
    "Regex",
    "Repetition",
    "RewardModelGrader",
    "StringCheck",
    "Template",
    "TextSimilarity",
    "ToolCall",
    "Turn",
    "templates",
]
