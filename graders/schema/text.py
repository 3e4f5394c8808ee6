"""Graders that compare texts."""

from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, model_validator

from graders.pattern import Pattern
from graders.problem import Mistake
from graders.schema.base import ANSWER, REFERENCE, GraderModel, Template


def _our_word(operation: object) -> object:
    """OpenAI's guide says `ne`, its older pages `neq`."""
    return "ne" if operation == "neq" else operation


def _read_pattern(source: str) -> str:
    Pattern(source)
    return source


class StringCheck(GraderModel):
    """Compares two texts: 1 when they match, 0 when not."""

    model_config = ConfigDict(title="Text match", json_schema_extra={"group": "text"})

    type: Literal["string_check"] = "string_check"
    input: Template = Field(ANSWER, title="Text")
    """What is looked at, usually the answer."""
    reference: Template = Field(REFERENCE, title="Compared with")
    """What it is compared with, usually a column of the dataset."""
    operation: Annotated[Literal["eq", "ne", "like", "ilike"], BeforeValidator(_our_word)] = Field(
        "eq", title="Operation"
    )
    """eq: equal. ne: different. like: contains the reference. ilike: contains it in any case."""


class TextSimilarity(GraderModel):
    """Measures how alike two texts are, from 0 to 1."""

    model_config = ConfigDict(title="Text similarity", json_schema_extra={"group": "text"})

    type: Literal["text_similarity"] = "text_similarity"
    input: Template = Field(ANSWER, title="Text")
    """What is looked at, usually the answer."""
    reference: Template = Field(REFERENCE, title="Compared with")
    """What it is compared with, usually a column of the dataset."""
    evaluation_metric: Literal[
        "fuzzy_match",
        "bleu",
        "gleu",
        "meteor",
        "rouge_1",
        "rouge_2",
        "rouge_3",
        "rouge_4",
        "rouge_5",
        "rouge_l",
        "cosine",
    ] = Field("fuzzy_match", title="Metric")
    """fuzzy_match: share of characters that need no edit. cosine: likeness in meaning. Others: words in common."""
    embedding_model: str | None = Field(
        None, min_length=1, max_length=256, title="Embedding model", json_schema_extra={"format": "judge"}
    )
    """Needed for cosine only: a name from the settings' list of judges."""

    @model_validator(mode="after")
    def _has_what_cosine_needs(self) -> "TextSimilarity":
        if self.evaluation_metric == "cosine" and self.embedding_model is None:
            raise Mistake("embedding.model_missing")
        return self


class Regex(GraderModel):
    """Looks for a pattern: 1 when it is found (and what it captures is right), 0 when not."""

    model_config = ConfigDict(title="Pattern", json_schema_extra={"group": "text"})

    type: Literal["regex"] = "regex"
    input: Template = Field(ANSWER, title="Text")
    """What is searched, usually the answer."""
    pattern: Annotated[str, Field(min_length=1, max_length=10_000, title="Pattern"), AfterValidator(_read_pattern)]
    """RE2 syntax: a search in linear time, whatever the pattern. `(?i)` ignores case."""
    reference: Template | None = Field(None, title="Captured text must be")
    """When given, the first group (or the whole match) of the last match must equal this."""
