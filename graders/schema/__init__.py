"""Every grader as a Pydantic model, a file a family. OpenAI's JSON where OpenAI has the kind.

Source: OpenAI's fine-tuning grader reference (string_check, text_similarity, multi); the others are ours. Templates,
patterns and formulas are read here too, so that no door lets in a grader that cannot run; what is wrong with them is a
`Mistake`.
"""

from typing import Annotated

from pydantic import Field

from graders.schema.base import GraderModel, Template, Turn, templates
from graders.schema.code import CodeTests, Python
from graders.schema.composed import MAX_DEPTH, Multi, Steps
from graders.schema.endpoint import MASK, SECRET, Endpoint, secret_names
from graders.schema.judges import Criterion, LabelModel, Rubric, SamplingParams, ScoreModel
from graders.schema.models import RewardModelGrader
from graders.schema.numbers import Math, Number
from graders.schema.shape import Language, Length, Repetition
from graders.schema.structure import Format, JsonSchema, ToolCall
from graders.schema.text import Regex, StringCheck, TextSimilarity

Grader = Annotated[
    StringCheck
    | TextSimilarity
    | Number
    | Math
    | Regex
    | JsonSchema
    | Format
    | ToolCall
    | Length
    | Repetition
    | Language
    | ScoreModel
    | LabelModel
    | Rubric
    | CodeTests
    | Python
    | RewardModelGrader
    | Endpoint
    | Steps
    | Multi,
    Field(discriminator="type"),
]

Multi.model_rebuild()
Steps.model_rebuild()

__all__ = [
    "MASK",
    "MAX_DEPTH",
    "SECRET",
    "CodeTests",
    "Criterion",
    "Endpoint",
    "Format",
    "Grader",
    "GraderModel",
    "JsonSchema",
    "LabelModel",
    "Language",
    "Length",
    "Math",
    "Multi",
    "Number",
    "Python",
    "Regex",
    "Repetition",
    "RewardModelGrader",
    "Rubric",
    "SamplingParams",
    "ScoreModel",
    "Steps",
    "StringCheck",
    "Template",
    "TextSimilarity",
    "ToolCall",
    "Turn",
    "secret_names",
    "templates",
]
