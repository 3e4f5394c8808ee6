"""Graders that look at an answer's outer shape: length, repetition, language."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field, ValidationInfo, field_validator

from graders.languages import LANGUAGES
from graders.problem import Mistake, quoted
from graders.schema.base import ANSWER, REFERENCE, GraderModel, Template

Count = Annotated[int, Field(gt=0, le=10_000_000)]


class Length(GraderModel):
    """Scores how long the answer is, by one of four published curves."""

    model_config = ConfigDict(title="Length", json_schema_extra={"group": "shape"})

    type: Literal["length"] = "length"
    input: Template = Field(ANSWER, title="Text")
    """What is measured, usually the answer."""
    curve: Literal["target", "cosine", "soft_overlong", "harmonizing"] = Field("target", title="Curve")
    """target: 1 at a length. cosine: between two scores. soft_overlong: 0, then to -1. harmonizing: by a reference."""
    unit: Literal["characters", "words", "tokens"] = Field("words", title="Unit")
    """Chinese and Japanese characters are words. tokens: as the model counted them, in sample.output_tokens."""
    target: Count | None = Field(None, title="Target", validate_default=True)
    """For target: the right length. The score falls evenly to 0, at nothing and at twice the length."""
    tolerance: int = Field(0, ge=0, title="Tolerance")
    """For target: how far from it still counts as right."""
    longest: Count | None = Field(None, title="Longest", validate_default=True)
    """For cosine and soft_overlong: the length at which the curve ends. It stays there for longer answers."""
    buffer: Count | None = Field(None, title="Buffer", validate_default=True)
    """For soft_overlong: how much before the longest the score begins to fall from 0 to -1."""
    shortest_score: float = Field(1.0, title="Score at nothing")
    """For cosine: what an empty answer gets."""
    longest_score: float = Field(0.0, title="Score at the longest")
    """For cosine: what an answer of the longest length gets."""
    over_score: float | None = Field(None, title="Score beyond the longest")
    """For cosine: what a longer answer gets. Empty: the same as at the longest."""
    reference: Template = Field(REFERENCE, title="Reference")
    """For harmonizing: a text to be measured, or a whole number that is its length."""

    @property
    def unread(self) -> tuple[str, ...]:
        return () if self.curve == "harmonizing" else ("reference",)

    @field_validator("target", "longest", "buffer")
    @classmethod
    def _is_there_when_needed(cls, value: int | None, info: ValidationInfo) -> int | None:
        curve, field = info.data.get("curve"), str(info.field_name)
        if value is None and field in _NEEDED.get(str(curve), ()):
            raise Mistake("length.needed", curve=str(curve), field=field)
        if field == "buffer" and curve == "soft_overlong" and (value or 0) > (info.data.get("longest") or value or 0):
            raise Mistake("length.buffer_too_long")
        return value


_NEEDED = {"target": ("target",), "cosine": ("longest",), "soft_overlong": ("longest", "buffer")}


class Repetition(GraderModel):
    """Punishes an answer that says the same again: 0 when no words come twice, down to the highest penalty."""

    model_config = ConfigDict(title="Repetition", json_schema_extra={"group": "shape"})

    type: Literal["repetition"] = "repetition"
    input: Template = Field(ANSWER, title="Text")
    """What is looked at, usually the answer."""
    ngram: int = Field(3, ge=1, le=100, title="Words in a row")
    """How many words in a row count as the same when they come again."""
    max_penalty: float = Field(-1.0, le=0, title="Highest penalty")
    """What a text that is nothing but repetition comes near to."""


class Language(GraderModel):
    """Checks which language the answer is written in: 1 when it is the right one, 0 when not."""

    model_config = ConfigDict(title="Language", json_schema_extra={"group": "shape"})

    type: Literal["language"] = "language"
    input: Template = Field(ANSWER, title="Text")
    """What is looked at, usually the answer."""
    language: Template = Field(Template("en"), title="Right language")
    """Two letters of ISO 639-1, like en or zh, or a column that holds them."""
    measure: Literal["whole", "share"] = Field("whole", title="Measure")
    """whole: the text's language decides, 1 or 0. share: how much of the text stands in lines of that language."""

    @field_validator("language")
    @classmethod
    def _is_known(cls, language: Template) -> Template:
        if "{{" not in language and language not in LANGUAGES:
            raise Mistake("language.unknown", language=quoted(language))
        return language
