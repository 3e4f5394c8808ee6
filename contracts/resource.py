"""Machines, and what a job asks of them."""

from pydantic import Field

from contracts import Contract


class Gpu(Contract):
    name: str
    memory_gb: float = Field(ge=0)


class Machine(Contract):
    """What a worker runs on, as it tells the platform when it starts."""

    host: str
    pid: int
    cores: int = Field(ge=1)
    memory_gb: float = Field(gt=0)
    gpus: tuple[Gpu, ...] = ()


class Resources(Contract):
    """Where a job may run."""

    pool: str = Field("auto", title="Pool", max_length=64)
    """The kind of machine. “auto” takes the smallest pool that the job fits into, those with GPUs first."""
