"""What every engine can do, whatever works inside it. One holds one model, and any number of adapters over it."""

from collections.abc import Callable
from pathlib import Path
from typing import Protocol, runtime_checkable

from contracts.completion import Ask, Said, Score
from contracts.fault import FaultReport
from contracts.serving import Load

Tell = Callable[[str, Said], None]
"""Takes the mailbox that a request named, and what is to be said to it. Never blocks."""


class Engine(Protocol):
    @property
    def fault(self) -> FaultReport | None:
        """Why it can answer no more. None while it can."""
        ...

    def hold(self, load: Load, adapter: Path | None) -> None:
        """Answer for a deployment from now on: with the model itself, or with the adapter of this folder over it.

        Raises:
            Fault: adapter.wrong_base, engine.unfit_adapter.
        """
        ...

    def let_go(self, deployment: str) -> None:
        """What is still being answered for it is refused. Its adapter leaves the memory."""
        ...

    def busy_with(self, deployment: str) -> tuple[int, int]:
        """Choices of it that are being written or conversations that are being scored, and those that wait."""
        ...

    def cancel(self, ask: str) -> None: ...

    def close(self) -> None:
        """Let the model go. What is still being answered is refused."""
        ...


@runtime_checkable
class Writer(Engine, Protocol):
    """One whose model writes text."""

    def ask(self, ask: Ask) -> None:
        """Take a request in, or refuse it. Never blocks: all that is to be said of it is told."""
        ...


@runtime_checkable
class Rater(Engine, Protocol):
    """One whose model is a reward model."""

    def score(self, letter: Score) -> None:
        """As Writer.ask."""
        ...
