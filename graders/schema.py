"""Every grader as a Pydantic model. OpenAI's JSON where OpenAI has the kind.

Source: OpenAI's fine-tuning grader reference (string_check, text_similarity, multi); the others are ours. Templates,
patterns and formulas are read here too, so that no door lets in a grader that cannot run; what is wrong with them is a
`Mistake`.
"""

from collections import Counter
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
    ValidationInfo,
    field_validator,
)

from graders.formula import check_names, compile_formula
from graders.pattern import Pattern
from graders.problem import Mistake
from graders.template import split

BASIC: dict[str, JsonValue] = {"level": "basic"}
MAX_DEPTH = 5
"""Graders inside graders."""


def _read_template(source: str) -> str:
    split(source)
    return source


def _read_pattern(source: str) -> str:
    Pattern(source)
    return source


def _our_word(operation: object) -> object:
    """OpenAI's guide says `ne`, its older pages `neq`."""
    return "ne" if operation == "neq" else operation


def _by_name(graders: object) -> object:
    """OpenAI's reference also has `graders` as a list of named graders, or as a single one."""
    if isinstance(graders, dict) and isinstance(graders.get("type"), str):
        graders = [graders]
    if not isinstance(graders, list):
        return graders
    names = [part.get("name") if isinstance(part, dict) else None for part in graders]
    for number, name in enumerate(names, 1):
        if not isinstance(name, str) or not name:
            raise Mistake("multi.name_missing", number=number)
    name, times = max(Counter(names).items(), key=lambda pair: pair[1], default=("", 0))
    if times > 1:
        raise Mistake("multi.name_twice", name=str(name))
    return dict(zip(names, graders, strict=True))


def _messages(given: object) -> object:
    """OpenAI's messages may also say that they are messages."""
    if not isinstance(given, list | tuple) or not given:
        raise Mistake("conversation.not_messages")
    turns = [_without_type(turn) for turn in given]
    if any(turn.keys() != {"role", "content"} for turn in turns):
        raise Mistake("conversation.not_messages")
    return turns


def _without_type(turn: object) -> dict[object, object]:
    if isinstance(turn, Turn):
        return {"role": turn.role, "content": turn.content}
    if not isinstance(turn, dict):
        raise Mistake("conversation.not_messages")
    return {key: value for key, value in turn.items() if (key, value) != ("type", "message")}


Template = Annotated[
    str, Field(max_length=100_000, json_schema_extra={"format": "template"}), AfterValidator(_read_template)
]


class GraderModel(BaseModel):
    """What every kind of grader has in common."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True, allow_inf_nan=False)

    name: str = Field("", max_length=128, title="Name")
    """How the score is called in charts and formulas."""
    pass_threshold: float | None = Field(None, title="Pass threshold")
    """Scores from here on count as passed. Never changes the reward."""


class StringCheck(GraderModel):
    """Compares two texts: 1 when they match, 0 when not."""

    model_config = ConfigDict(title="Text match")

    type: Literal["string_check"] = "string_check"
    input: Template = Field("{{ sample.output_text }}", title="Text")
    """What is looked at, usually the answer."""
    reference: Template = Field("{{ item.reference }}", title="Compared with")
    """What it is compared with, usually a column of the dataset."""
    operation: Annotated[Literal["eq", "ne", "like", "ilike"], BeforeValidator(_our_word)] = Field(
        "eq", title="Operation"
    )
    """eq: equal. ne: different. like: contains the reference. ilike: contains it in any case."""


class TextSimilarity(GraderModel):
    """Measures how alike two texts are, from 0 to 1."""

    model_config = ConfigDict(title="Text similarity")

    type: Literal["text_similarity"] = "text_similarity"
    input: Template = Field("{{ sample.output_text }}", title="Text")
    """What is looked at, usually the answer."""
    reference: Template = Field("{{ item.reference }}", title="Compared with")
    """What it is compared with, usually a column of the dataset."""
    evaluation_metric: Literal["fuzzy_match"] = Field("fuzzy_match", title="Metric")
    """fuzzy_match: share of characters that need no edit."""


class Number(GraderModel):
    """Finds a number in the answer: 1 when it is close enough to the right one, 0 when not."""

    model_config = ConfigDict(title="Number")

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

    model_config = ConfigDict(title="Pattern")

    type: Literal["regex"] = "regex"
    input: Template = Field("{{ sample.output_text }}", title="Text")
    """What is searched, usually the answer."""
    pattern: Annotated[str, Field(min_length=1, max_length=10_000, title="Pattern"), AfterValidator(_read_pattern)]
    """RE2 syntax: a search in linear time, whatever the pattern. `(?i)` ignores case."""
    reference: Template | None = Field(None, title="Captured text must be")
    """When given, the first group (or the whole match) of the last match must equal this."""


class Turn(BaseModel):
    """One message of a conversation that is put together from templates."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    role: Literal["system", "developer", "user", "assistant"]
    content: Template


class RewardModelGrader(GraderModel):
    """Asks a reward model how good the answer is: any number, and higher is better."""

    model_config = ConfigDict(title="Reward model")

    type: Literal["reward_model"] = "reward_model"
    model: str = Field(
        min_length=1, max_length=256, title="Reward model", json_schema_extra=BASIC | {"format": "reward-model"}
    )
    """Name of a reward model in the hub."""
    input: Annotated[tuple[Turn, ...], BeforeValidator(_messages)] | None = Field(None, title="Conversation")
    """Messages with role and content, which may hold templates. Empty: the row's prompt and the answer to it."""
    scale: Literal["none", "sigmoid"] = Field("none", title="Scale", json_schema_extra=BASIC)
    """none: the score as it is. sigmoid: between 0 and 1, where 0.5 is a score of 0; easier to weigh in a formula."""


PartName = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$", max_length=64)]


class Multi(GraderModel):
    """Puts several graders together with a formula."""

    model_config = ConfigDict(title="Combination")

    type: Literal["multi"] = "multi"
    graders: Annotated[dict[PartName, "Grader"], BeforeValidator(_by_name)] = Field(
        min_length=1, max_length=100, title="Graders"
    )
    """The parts, each under the name that the formula uses."""
    calculate_output: str = Field(min_length=1, max_length=10_000, title="Formula")
    """Like 0.8 * correct + 0.2 * format. Knows + - * / ^, min, max, abs, floor, ceil, exp, sqrt, log."""

    @field_validator("graders")
    @classmethod
    def _is_not_too_deep(cls, graders: dict[str, "Grader"]) -> dict[str, "Grader"]:
        if any(_depth(part) >= MAX_DEPTH for part in graders.values()):
            raise Mistake("grader.too_deep", most=MAX_DEPTH)
        return graders

    @field_validator("calculate_output")
    @classmethod
    def _is_a_formula_of_the_parts(cls, source: str, info: ValidationInfo) -> str:
        formula = compile_formula(source)
        # Where the parts are wrong themselves, that is what the user hears of first.
        if "graders" in info.data:
            check_names(formula, info.data["graders"])
        return source


def _depth(grader: "Grader") -> int:
    return 1 + max(map(_depth, grader.graders.values())) if isinstance(grader, Multi) else 1


Grader = Annotated[
    StringCheck | TextSimilarity | Number | Regex | RewardModelGrader | Multi, Field(discriminator="type")
]

Multi.model_rebuild()
