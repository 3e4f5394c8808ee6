"""How an engine's host and the platform agree on which models it holds."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from contracts import Contract
from contracts.fault import FaultReport
from contracts.job import ModelRef
from contracts.resource import Machine

HostName = Annotated[str, StringConstraints(min_length=1, max_length=128)]


class Held(Contract):
    """One deployment on this host."""

    deployment: str
    state: Literal["loading", "ready", "failed"]
    fault: FaultReport | None = None
    running: int = Field(0, ge=0)
    """Choices that are being written."""
    waiting: int = Field(0, ge=0)


class Attendance(Contract):
    """What a host says of itself every few seconds."""

    host: HostName
    pool: Annotated[str, StringConstraints(min_length=1, max_length=64)]
    machine: Machine
    free_memory_gb: float | None = None
    holds: tuple[Held, ...] = ()
    is_leaving: bool = False
    """It takes nothing new, and ends once what it writes is written."""


class Load(Contract):
    """A deployment that this host shall hold from now on."""

    deployment: str
    token: str
    """With which the model's files are fetched, and nothing else."""
    model: ModelRef


class Duties(Contract):
    load: tuple[Load, ...] = ()
    drop: tuple[str, ...] = ()
    """Deployments to let go once what they write is written."""
