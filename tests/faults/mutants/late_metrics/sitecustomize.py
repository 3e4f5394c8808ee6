"""The training process names a checkpoint before the metrics that belong to it."""

from types import ModuleType
from typing import Any

from tests.faults.mutants.patching import when_imported


def change(spool: ModuleType) -> None:
    append = spool.SpoolWriter.append
    held: list[Any] = []  # Any: events

    def later(writer: Any, event: Any) -> None:
        if event.type == "metrics":
            held.append(event)
            return
        if event.type == "checkpoint":
            append(writer, event)
            ready, held[:] = held[:-5], held[-5:]
            for one in ready:
                append(writer, one)
            return
        if event.type == "finished":
            for one in held:
                append(writer, one)
        append(writer, event)

    spool.SpoolWriter.append = later


when_imported("trainer_worker.spool", change)
