"""An adapter and its base, made into one model."""

from typing import Literal

from contracts import Contract
from contracts.job import FileRef, ModelRef


class MergeSpec(Contract):
    """Everything a worker needs to know to merge an adapter, fixed when it is asked for."""

    kind: Literal["merge"] = "merge"
    job: str
    model: ModelRef
    """The adapter, with its base's files beside its own."""

    @property
    def total_steps(self) -> int:
        return 1

    @property
    def seed(self) -> int:
        return 0

    @property
    def grader(self) -> None:
        return None

    @property
    def scorers(self) -> tuple[ModelRef, ...]:
        return ()

    @property
    def files(self) -> list[FileRef]:
        """All that a worker reads."""
        return [*self.model.files]
