"""Graders that run code: the user's, or the model's."""

import ast
from typing import Annotated, Literal

from pydantic import AfterValidator, ConfigDict, Field

from graders.problem import Mistake, quoted
from graders.schema.base import ANSWER, BASIC, GraderModel, Template

MAX_SOURCE = 256 * 1024
"""Bytes, as OpenAI has it."""

BEGINNING = """\
def grade(sample, item):
    answer = sample["output_text"]
    return 1.0 if answer.strip() == str(item["reference"]) else 0.0
"""
"""What a source begins with on a page."""


def _read_source(source: str) -> str:
    if len(source.encode("utf-8", "surrogatepass")) > MAX_SOURCE:
        raise Mistake("python.too_long", most=MAX_SOURCE // 1024)
    try:
        tree = ast.parse(source)
    except SyntaxError as error:
        raise Mistake("python.syntax", line=error.lineno or 1, detail=quoted(error.msg)) from None
    except (ValueError, RecursionError, MemoryError):
        raise Mistake("python.unreadable") from None
    if not any(_defines_grade(statement) for statement in tree.body):
        raise Mistake("python.no_grade")
    return source


def _defines_grade(statement: ast.stmt) -> bool:
    match statement:
        case ast.FunctionDef(name="grade"):
            return True
        case ast.Assign(targets=targets):
            return any(isinstance(target, ast.Name) and target.id == "grade" for target in targets)
        case ast.AnnAssign(target=ast.Name(id="grade")):
            return True
        case ast.ImportFrom(names=names):
            return any((alias.asname or alias.name) == "grade" for alias in names)
        case ast.If() | ast.Try():
            return any(isinstance(inner, ast.FunctionDef) and inner.name == "grade" for inner in ast.walk(statement))
        case _:
            return False


class Python(GraderModel):
    """Runs a function grade(sample, item) of your own, shut off from everything else."""

    model_config = ConfigDict(title="Python", json_schema_extra={"group": "code"})

    type: Literal["python"] = "python"
    source: Annotated[str, AfterValidator(_read_source)] = Field(
        min_length=1,
        max_length=MAX_SOURCE,
        title="Source",
        examples=[BEGINNING],
        json_schema_extra=BASIC | {"format": "python"},
    )
    """Defines grade(sample, item), which gives a number back. No network, no files; numpy, sympy and rapidfuzz."""
    image_tag: str | None = Field(None, max_length=64, title="Image")
    """OpenAI's name for a set of packages. Accepted and not used: the packages are those installed here."""
    timeout_s: float = Field(30.0, gt=0, le=120, title="Time limit (s)")
    """For one answer. One that takes longer is 0, and flagged."""
    isolation: Literal["batch", "sample"] = Field("batch", title="A process for each")
    """batch: fast. sample: for graders that execute what the model wrote, so that it cannot reach other answers."""


class CodeTests(GraderModel):
    """Runs the code in the answer against tests: the share of tests that pass."""

    model_config = ConfigDict(title="Code tests", json_schema_extra={"group": "code"})

    type: Literal["code_tests"] = "code_tests"
    input: Template = Field(ANSWER, title="Code")
    """Where the code is, usually the answer. Of a text with fenced blocks the last Python block is taken."""
    tests: Template = Field(Template("{{ item.tests }}"), title="Tests")
    """A list of `assert f(2) == 4`, of {call, expected} or of {stdin, stdout}; or a script that must run through."""
    score: Literal["share", "all"] = Field("share", title="Score", json_schema_extra=BASIC)
    """share: passed tests of all tests. all: 1 when every test passes, else 0."""
    timeout_s: float = Field(5.0, gt=0, le=60, title="Time limit (s)")
    """For one test. All tests of one answer have twice that."""
    memory_mb: int = Field(1024, ge=64, le=16384, title="Memory (MB)")
    """For one test, Python included."""
