"""Is everything that the database says true? What is not is explained, and mended where that is safe."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from whetstone.operations.backup import one_moment
from whetstone.operations.doctor_of_files import damaged_models, files_of_nobody, lost_files
from whetstone.operations.doctor_of_jobs import (
    broken_checkpoints,
    events_that_are_missing,
    jobs_without_attempt,
    jobs_without_model,
    open_attempts,
    steps_told_twice,
)
from whetstone.operations.finding import Finding

CHECKS: tuple[Callable[[], Iterator[Finding]], ...] = (
    jobs_without_attempt,
    open_attempts,
    jobs_without_model,
    broken_checkpoints,
    events_that_are_missing,
    steps_told_twice,
    damaged_models,
)


@dataclass(frozen=True)
class Diagnosis:
    """What was found, and how much of it was mended."""

    findings: tuple[Finding, ...]
    mended: int = 0

    @property
    def is_well(self) -> bool:
        return len(self.findings) == self.mended


def examine(*, deep: bool = False, fix: bool = False) -> Diagnosis:
    """Look at everything while the platform runs. `deep` reads every stored file, `fix` mends what is safe to mend."""
    with one_moment():
        findings = [finding for check in CHECKS for finding in check()]
    findings += [*lost_files(deep), *files_of_nobody()]
    mended = sum(finding.mend() for finding in findings if finding.mend) if fix else 0
    return Diagnosis(tuple(findings), mended)
