"""What a job reports while it runs, and what the platform answers."""

from itertools import pairwise
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from contracts import Contract, Printed
from contracts.fault import FaultReport
from contracts.job import FileRef
from contracts.method import Task
from contracts.resource import Machine
from contracts.work import Spec

Step = Annotated[int, Field(ge=0, le=2**31 - 1)]
MOST_ROWS_TOLD = 10_000


class Phase(Contract):
    """What the job is doing before and after its steps: downloading, loading, evaluating, saving."""

    type: Literal["phase"] = "phase"
    name: Literal["downloading", "loading", "evaluating", "training", "saving", "uploading"]
    fraction: float | None = Field(None, ge=0, le=1)


class Metrics(Contract):
    """Numbers of one optimizer step, under the trainer's own keys."""

    type: Literal["metrics"] = "metrics"
    step: Step
    values: dict[str, float]


class Evaluation(Contract):
    """The held-out data, scored at one step: `reward_mean`, `accuracy` (share of full scores), `loss`, …"""

    type: Literal["evaluation"] = "evaluation"
    step: Step
    values: dict[str, float]
    rows: dict[str, Annotated[tuple[float, ...], Field(max_length=MOST_ROWS_TOLD)]] = {}
    """Of a number that is a mean: each row's part in it, in the order of the held-out rows, which never changes. Their
    mean is the number and their spread its uncertainty. Not told where there are more rows than MOST_ROWS_TOLD."""


class RolloutsWritten(Contract):
    """A part of the rollouts (parquet, columns of trainer_worker/rollouts.py) is in the artifact store."""

    type: Literal["rollouts"] = "rollouts"
    step: Step
    """Last step that the part holds."""
    first_step: Step
    rows: int
    file: FileRef


MOST_ANSWERS_TOLD = 262_144
Skipped = Literal["too_long", "empty"]


class AnswersScored(Contract):
    """Of an evaluation: one batch of rows, answered and scored. The lists have one entry for each answer.

    They are kept when the answers themselves are thrown away: what models are compared by must not go.
    """

    type: Literal["scores"] = "scores"
    step: Step
    rows: tuple[Annotated[int, Field(ge=0)], ...] = Field((), max_length=MOST_ANSWERS_TOLD)
    """Numbers of the rows in the dataset, counted from 0."""
    scores: tuple[float | None, ...] = Field((), max_length=MOST_ANSWERS_TOLD)
    """None: not scored."""
    tokens: tuple[int, ...] = Field((), max_length=MOST_ANSWERS_TOLD)
    truncated: tuple[bool, ...] = Field((), max_length=MOST_ANSWERS_TOLD)
    failed: tuple[bool, ...] = Field((), max_length=MOST_ANSWERS_TOLD)
    """Whether the grader ran into an error."""
    skipped: dict[int, Skipped] = {}
    """Rows of this batch that the model was not asked, and why."""

    @model_validator(mode="after")
    def of_one_length(self) -> "AnswersScored":
        if len({len(one) for one in (self.rows, self.scores, self.tokens, self.truncated, self.failed)}) > 1:
            raise ValueError("the lists are not of one length")
        return self


class CheckpointSaved(Contract):
    """All files of the checkpoint are in the artifact store. Comes after the metrics of its step."""

    type: Literal["checkpoint"] = "checkpoint"
    step: Step
    files: tuple[FileRef, ...]


class LogLines(Contract):
    """What the training process printed."""

    type: Literal["log"] = "log"
    text: Printed


class Finished(Contract):
    """The model is trained and all its files are in the artifact store."""

    type: Literal["finished"] = "finished"
    step: Step
    files: tuple[FileRef, ...]
    parameters: int = Field(ge=0, le=2**63 - 1)
    trained_tokens: int = Field(ge=0, le=2**63 - 1)
    task: Task = "text"
    peak_memory: int | None = Field(None, ge=0, le=2**63 - 1)
    """Bytes that the last attempt held at the most: of one GPU, or resident where there is none."""


class Evaluated(Contract):
    """All rows are answered and scored, and every part of the answers is in the artifact store."""

    type: Literal["evaluated"] = "evaluated"
    step: Step
    peak_memory: int | None = Field(None, ge=0, le=2**63 - 1)
    """Bytes, as in `finished`."""


class Failed(Contract):
    """The attempt ended with a fault; whether another one follows is the platform's decision."""

    type: Literal["failed"] = "failed"
    fault: FaultReport


class Stopped(Contract):
    """The attempt obeyed a cancel or pause order, or its worker was told to stop, and it has freed its machine."""

    type: Literal["stopped"] = "stopped"
    step: Step


WorkerEvent = Annotated[
    Phase
    | Metrics
    | Evaluation
    | AnswersScored
    | RolloutsWritten
    | CheckpointSaved
    | LogLines
    | Finished
    | Evaluated
    | Failed
    | Stopped,
    Field(discriminator="type"),
]


class Report(Contract):
    """One event of an attempt. `(job, attempt, seq)` names it: sent twice, it is recorded once."""

    seq: int = Field(ge=1, le=2**63 - 1)
    at: float = Field(ge=0, le=2**35)
    """Unix time on the worker's clock, in seconds."""
    event: WorkerEvent


class Reports(Contract):
    """A batch; an empty one only renews the lease."""

    reports: tuple[Report, ...] = Field((), max_length=2000)
    sent_at: float | None = Field(None, ge=0, le=2**35)
    """Unix time on the worker's clock, in seconds: tells how far that clock is from the platform's."""

    @model_validator(mode="after")
    def in_order(self) -> "Reports":
        if any(one.seq >= next_one.seq for one, next_one in pairwise(self.reports)):
            raise ValueError("the reports are not in the order of their seq")
        return self


Order = Literal["go_on", "cancel", "pause", "replaced"]


class Reply(Contract):
    """What rides home on every report."""

    order: Order
    lease_s: float
    """Seconds for which the attempt still holds the job."""


class Hello(Contract):
    """How a worker presents itself."""

    worker: str = Field(min_length=1, max_length=128)
    """Stable name of the worker, unique on the platform."""
    pool: str = Field(min_length=1, max_length=64)
    machine: Machine
    free_memory_gb: float | None = None


Instance = Annotated[str, StringConstraints(max_length=64)]


class ClaimRequest(Contract):
    worker: str
    pool: str
    instance: Instance = ""
    """Which scratch folder asks: drawn once, kept there, and the same after the worker starts anew."""


class Release(Contract):
    """A worker that started anew gives up what its former self held, after it has proved that nothing of it lives."""

    worker: str
    instance: Instance


class ResumePoint(Contract):
    """The checkpoint that an attempt goes on from. Of an evaluation the last step that is stored; it has no files."""

    step: Step
    files: tuple[FileRef, ...]


class Claim(Contract):
    """A job, handed to one attempt. The token is good for this attempt of this job alone."""

    attempt: int = Field(ge=1)
    token: str
    lease_s: float
    spec: Spec
    resume: ResumePoint | None
    trained_tokens: int = 0
