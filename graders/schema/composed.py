"""Graders made of graders."""

from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BeforeValidator, ConfigDict, Field, ValidationInfo, field_validator, model_validator

from graders.formula import Formula, check_names, compile_formula
from graders.pattern import Pattern
from graders.problem import Mistake, likely
from graders.schema.base import ANSWER, GraderModel, Template

if TYPE_CHECKING:
    from graders.schema import Grader

MAX_DEPTH = 5
"""Graders inside graders."""


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


PartName = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$", max_length=64)]


class Multi(GraderModel):
    """Puts several graders together with a formula."""

    model_config = ConfigDict(title="Combination", json_schema_extra={"group": "composed"})

    type: Literal["multi"] = "multi"
    graders: Annotated[dict[PartName, "Grader"], BeforeValidator(_by_name)] = Field(
        min_length=1, max_length=100, title="Graders"
    )
    """The parts, each under the name that the formula uses."""
    calculate_output: str = Field(min_length=1, max_length=10_000, title="Formula")
    """Like 0.8 * correct + 0.2 * format. Knows + - * / ^, min, max, abs, floor, ceil, exp, sqrt, log."""

    invalid_grade: float | None = Field(None, title="Score without a value")
    """What an answer gets where the formula has no value, as when it divides by zero. Empty: 0."""
    disabled: tuple[PartName, ...] | None = Field(None, max_length=100, title="Switched off")
    """Parts that are kept and do not run. The formula is read as if they had never stood in it."""

    def parts(self) -> "dict[str, Grader]":
        return {f"graders.{name}": part for name, part in self.running.items()}

    @property
    def running(self) -> "dict[str, Grader]":
        """The parts that are not switched off, by name."""
        return {name: part for name, part in self.graders.items() if name not in (self.disabled or ())}

    @property
    def formula(self) -> Formula:
        """Of the parts that run."""
        whole = compile_formula(self.calculate_output)
        formula = whole.without(self.disabled) if self.disabled else whole
        if formula is None:
            raise Mistake("multi.nothing_runs")
        return formula

    @field_validator("graders")
    @classmethod
    def _is_not_too_deep(cls, graders: "dict[str, Grader]") -> "dict[str, Grader]":
        refuse_depth(graders.values())
        return graders

    @field_validator("calculate_output")
    @classmethod
    def _is_a_formula_of_the_parts(cls, source: str, info: ValidationInfo) -> str:
        formula = compile_formula(source)
        # Where the parts are wrong themselves, that is what the user hears of first.
        if "graders" in info.data:
            check_names(formula, info.data["graders"])
        return source

    @field_validator("disabled")
    @classmethod
    def _are_parts(cls, disabled: tuple[str, ...] | None, info: ValidationInfo) -> tuple[str, ...] | None:
        parts = info.data.get("graders")
        for name in disabled or ():
            if parts is not None and name not in parts:
                raise Mistake("multi.not_a_part", likely(name, parts), name=name, options=", ".join([*parts][:20]))
        return disabled or None

    @model_validator(mode="after")
    def _has_something_to_run(self) -> "Multi":
        if not self.running:
            raise Mistake("multi.nothing_runs")
        _ = self.formula
        return self


class Steps(GraderModel):
    """Grades every step of an answer and puts the scores together: a process reward."""

    model_config = ConfigDict(title="Step by step", json_schema_extra={"group": "composed"})

    type: Literal["steps"] = "steps"
    grader: "Grader" = Field(title="Grader of a step")
    """It sees a step as sample.output_text, and what stands before as sample.previous_steps."""
    input: Template = Field(ANSWER, title="Text")
    """What is taken apart, usually the answer."""
    split: Literal["blank_line", "line", "step", "pattern"] = Field("blank_line", title="Where a step begins")
    """blank_line: after one. line: with each. step: with a line that begins with Step 1. pattern: where it matches."""
    pattern: str | None = Field(None, min_length=1, max_length=10_000, title="Pattern", validate_default=True)
    """For pattern, in RE2 syntax."""
    aggregate: Literal["mean", "min", "product", "last"] = Field("mean", title="Put together as")
    """mean, lowest (min) or product of the steps' scores, or the last step's alone."""
    max_steps: int = Field(50, ge=1, le=200, title="Most steps")
    """An answer with more: what is left is one last step."""

    def parts(self) -> "dict[str, Grader]":
        return {"grader": self.grader}

    @field_validator("grader")
    @classmethod
    def _is_not_too_deep(cls, grader: "Grader") -> "Grader":
        refuse_depth([grader])
        return grader

    @field_validator("pattern")
    @classmethod
    def _is_there_when_needed(cls, pattern: str | None, info: ValidationInfo) -> str | None:
        if pattern is not None:
            Pattern(pattern)
        elif info.data.get("split") == "pattern":
            raise Mistake("steps.pattern_missing")
        return pattern


def refuse_depth(parts: "Iterable[Grader]") -> None:
    """Raises Mistake when graders with these parts would nest too deep."""
    if any(_depth(part) >= MAX_DEPTH for part in parts):
        raise Mistake("grader.too_deep", most=MAX_DEPTH)


def _depth(grader: GraderModel) -> int:
    return 1 + max((_depth(part) for part in grader.parts().values()), default=0)
