"""Is everything that the database says true? What is not is explained, and mended where that is safe."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from django.db import IntegrityError, connection

from whetstone.operations.backup import one_moment
from whetstone.operations.doctor_of_events import (
    broken_checkpoints,
    broken_rollouts,
    forgotten_reports,
    missing_events,
    missing_steps,
    steps_told_twice,
)
from whetstone.operations.doctor_of_files import damaged_models, files_of_nobody, lost_files
from whetstone.operations.doctor_of_jobs import (
    jobs_without_attempt,
    jobs_without_files,
    jobs_without_model,
    leases_of_nobody,
    missing_attempts,
    open_attempts,
    untold_states,
)
from whetstone.operations.finding import Finding


def orphans() -> Iterator[Finding]:
    """Rows that name another which is not there. PostgreSQL lets none in; SQLite does where somebody else wrote."""
    try:
        connection.check_constraints()
    except IntegrityError as error:
        yield Finding("row without parent", "the database", f"is inconsistent: {error}", "Restore a backup.")


CHECKS: tuple[Callable[[], Iterator[Finding]], ...] = (
    orphans,
    jobs_without_attempt,
    open_attempts,
    leases_of_nobody,
    missing_attempts,
    untold_states,
    jobs_without_model,
    jobs_without_files,
    broken_checkpoints,
    broken_rollouts,
    missing_events,
    missing_steps,
    forgotten_reports,
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
