"""How good is a model at a dataset, by an evaluator: what a person asks for, and what the worker is given."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field, model_validator

from contracts import Contract
from contracts.job import DatasetRef, FileRef, ModelRef
from contracts.method.common import BASIC, Auto
from contracts.resource import Resources
from graders.schema import Grader

MOST_SAMPLES = 64
MOST_AT_ONCE = 4096
ANSWERS_AT_ONCE = ((100e6, 256), (1e9, 128), (float("inf"), 64))
"""Answers that are written together: (parameters below, answers). A GPU that has no room for them halves them."""
LONGEST_ANSWER = 1024
"""What “auto” gives an answer at the most."""
WARM = 1.0
"""The temperature of several answers to a prompt, where nobody sets one: greedy ones would all be the same."""


class EvaluationSettings(Contract):
    """How the model answers. “auto” is resolved when the evaluation is created, and its page shows the number."""

    model_config = ConfigDict(title="Evaluation settings")

    samples: int = Field(1, ge=1, le=MOST_SAMPLES, title="Answers a row", json_schema_extra=BASIC)
    """How often each prompt is answered. More than one gives pass@k: is one of k answers right?"""
    limit: int | None = Field(None, ge=1, le=2**31 - 1, title="Most rows", json_schema_extra=BASIC)
    """Take the first rows of the dataset alone. Empty: all."""
    max_completion_length: Annotated[int, Field(ge=1, le=1_000_000)] | Auto = Field(
        "auto", title="Longest answer", json_schema_extra=BASIC
    )
    """Tokens after which an answer is cut off. “auto” is half of the model's context, and 1,024 at the most."""
    temperature: Annotated[float, Field(ge=0, le=2)] | Auto = Field("auto", title="Temperature")
    """0 takes the likeliest token each time (greedy). “auto” is 0 for one answer a row, and 1 for more."""
    top_p: float = Field(1.0, gt=0, le=1, title="Top p")
    """Draw from the likeliest tokens that make up this share. 1 draws from all."""
    batch_size: Annotated[int, Field(ge=1, le=MOST_AT_ONCE)] | Auto = Field("auto", title="Batch size")
    """Prompts that are answered together. Smaller needs less memory and takes longer."""
    precision: Literal["auto", "fp32", "bf16"] = Field("auto", title="Precision")
    """Number format of the weights. “auto” takes bf16 where the GPU has it."""
    seed: int = Field(0, ge=0, le=2147483647, title="Seed")
    """The same seed gives the same answers on the same machine."""

    @property
    def is_greedy(self) -> bool:
        return self.temperature == 0 or (self.temperature == "auto" and self.samples == 1)

    @model_validator(mode="after")
    def samples_differ(self) -> "EvaluationSettings":
        if self.samples > 1 and self.temperature == 0:
            raise ValueError("at temperature 0 all answers to a prompt are the same: take 1 sample, or a temperature")
        return self


class EvaluationDraft(Contract):
    """An evaluation as it is asked for: one model, one dataset, one evaluator."""

    model: str = Field(min_length=1, max_length=300, title="Model")
    """Name of a model in the hub."""
    dataset: str = Field(min_length=1, max_length=256, title="Dataset")
    """A dataset version: its id (file-…), or name@version."""
    evaluator: str | None = Field(None, min_length=1, max_length=256, title="Evaluator")
    """A saved grader by name and version, like math@3. Without a version the newest is pinned."""
    grader: Grader | None = None
    """The evaluator, as JSON. Either this or a saved one by its name."""
    settings: EvaluationSettings = EvaluationSettings()
    resources: Resources = Resources()

    @model_validator(mode="after")
    def one_grader(self) -> "EvaluationDraft":
        if self.grader is not None and self.evaluator is not None:
            raise ValueError("give a grader or an evaluator, not both")
        return self


class Answering(Contract):
    """The settings with a number in every place."""

    samples: int
    max_completion_length: int
    temperature: float | None
    """None is greedy."""
    top_p: float
    batch_size: int
    precision: Literal["auto", "fp32", "bf16"]
    seed: int
    rows: int
    """How many rows of the dataset are answered: the first ones."""

    @property
    def steps(self) -> int:
        """Batches of prompts. A batch is to an evaluation what an optimizer step is to a training."""
        return -(-self.rows // self.batch_size)


class EvaluationSpec(Contract):
    """Everything a worker needs to know of an evaluation, fixed when it is created."""

    kind: Literal["evaluation"] = "evaluation"
    job: str
    model: ModelRef
    dataset: DatasetRef
    grader: Grader
    evaluator: str | None
    """Name and version of the evaluator that the grader was taken from."""
    scorers: tuple[ModelRef, ...] = ()
    """The reward models that the grader asks."""
    answering: Answering

    @property
    def total_steps(self) -> int:
        return self.answering.steps

    @property
    def seed(self) -> int:
        return self.answering.seed

    @property
    def files(self) -> list[FileRef]:
        """All that a worker reads."""
        return [*(file for one in (self.model, *self.scorers) for file in one.files), self.dataset.file]


def resolve(settings: EvaluationSettings, *, rows: int, parameters: int, context: int) -> Answering:
    """From “auto” to a number. `context`: the model's, in tokens; 0 where nobody knows it."""
    at_once = next(most for below, most in ANSWERS_AT_ONCE if parameters < below)
    size = settings.batch_size if settings.batch_size != "auto" else max(1, at_once // settings.samples)
    longest = settings.max_completion_length
    if longest == "auto":
        longest = min(LONGEST_ANSWER, max(1, context // 2)) if context else LONGEST_ANSWER
    warmth = WARM if settings.temperature == "auto" else float(settings.temperature)
    taken = min(rows, settings.limit or rows)
    return Answering(
        samples=settings.samples,
        max_completion_length=longest,
        temperature=None if settings.is_greedy else warmth,
        top_p=1.0 if settings.is_greedy else settings.top_p,
        batch_size=max(1, min(size, taken)),
        precision=settings.precision,
        seed=0 if settings.is_greedy else settings.seed,
        rows=taken,
    )
