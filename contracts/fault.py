"""What went wrong, said so that the person who reads it can act on it."""

from pydantic import model_validator

from contracts import Contract, Printed
from contracts.catalogue import CATALOGUE, Cause


class FaultReport(Contract):
    """A fault as it is stored, sent and shown."""

    code: str
    params: dict[str, Printed | int | float] = {}
    field: str | None = None
    """Path of the field at fault, like `method.grpo.hyperparameters.batch_size`."""
    evidence: Printed | None = None
    """What was seen: the end of a log, a traceback, a line of the file."""

    @model_validator(mode="after")
    def can_be_said(self) -> "FaultReport":
        """A fault that nobody can read out would break every page of its job."""
        try:
            _ = self.message, self.next_step
        except KeyError as missing:
            raise ValueError(f"nobody knows {missing} of the fault {self.code}") from None
        return self

    @property
    def cause(self) -> Cause:
        return CATALOGUE[self.code][0]

    @property
    def message(self) -> str:
        return CATALOGUE[self.code][1].format(**self.params)

    @property
    def next_step(self) -> str:
        return CATALOGUE[self.code][2].format(**self.params)


class Fault(Exception):
    """Raised where something is wrong that a user can understand and mend."""

    def __init__(
        self,
        code: str,
        *,
        field: str | None = None,
        evidence: str | None = None,
        **params: str | int | float,
    ) -> None:
        self.report = FaultReport(code=code, params=params, field=field, evidence=evidence)
        super().__init__(self.report.message)
