"""The platform takes reports of an attempt that was replaced."""

from types import ModuleType

from tests.faults.mutants.patching import when_imported


def change(record: ModuleType) -> None:
    record._holds = lambda attempt, job: job.status == "running"  # type: ignore[attr-defined]


when_imported("whetstone.jobs.record", change)
