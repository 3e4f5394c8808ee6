"""How an engine's host and the platform agree on which models it holds."""

import hashlib
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from contracts import Contract, Printed
from contracts.fault import FaultReport
from contracts.job import FileRef, ModelRef
from contracts.resource import Machine

HostName = Annotated[str, StringConstraints(min_length=1, max_length=128)]
HoldState = Literal["loading", "ready", "stopping", "failed", "gone"]
MOST_LINES = 200
LONGEST_LINE = 500


class Counts(Contract):
    """What a deployment was asked since this host holds it, and how fast it answers."""

    requests: int = Field(0, ge=0)
    errors: int = Field(0, ge=0)
    """Refused, or broken off by the engine."""
    cancelled: int = Field(0, ge=0)
    """Whoever asked did not wait for the end."""
    prompt_tokens: int = Field(0, ge=0)
    tokens: int = Field(0, ge=0)
    """Written."""
    scores: int = Field(0, ge=0)
    """Conversations that a reward model was asked about."""
    tokens_per_s: float = Field(0.0, ge=0)
    """Over the last ten seconds: written, and of a reward model read."""
    first_token_ms: float | None = Field(None, ge=0)
    """Median of the last hundred requests: from the engine's hearing of one to its first token, or to its scores."""


class Held(Contract):
    """One deployment on this host."""

    deployment: str
    state: HoldState
    """`stopping`: it takes nothing new. `gone`: it was let go, and is told of this last time."""
    fault: FaultReport | None = None
    running: int = Field(0, ge=0)
    """Choices that are being written, or conversations that are being scored."""
    waiting: int = Field(0, ge=0)
    counts: Counts = Counts()
    log: tuple[Annotated[Printed, Field(max_length=LONGEST_LINE)], ...] = Field((), max_length=MOST_LINES)
    """Lines that the platform has not heard yet."""


class Attendance(Contract):
    """What a host says of itself every few seconds."""

    host: HostName
    pool: Annotated[str, StringConstraints(min_length=1, max_length=64)]
    machine: Machine
    free_memory_gb: float | None = None
    """A GPU's where there are some."""
    holds: tuple[Held, ...] = ()
    is_leaving: bool = False
    """It takes nothing new, and ends once what it writes is written."""


class Load(Contract):
    """A deployment that this host shall hold from now on."""

    deployment: str
    name: str
    """As people call it."""
    token: str
    """With which the model's files are fetched, and nothing else."""
    model: ModelRef
    adapter: tuple[FileRef, ...] = ()
    """A LoRA adapter, to be laid over the model. Deployments of one model share it."""


class Duties(Contract):
    load: tuple[Load, ...] = ()
    drop: tuple[str, ...] = ()
    """Deployments to let go once what they write is written."""


def weights_of(model: ModelRef) -> str:
    """The same for models of the same files: what is in memory once serves them all."""
    files = sorted((file.path, file.sha256) for file in model.files)
    return hashlib.sha256(repr(files).encode()).hexdigest()
