"""What every engine can do, whatever writes inside it."""

from collections.abc import Callable
from typing import Protocol

from contracts.completion import Ask, Said

Tell = Callable[[str, Said], None]
"""Takes the mailbox that a request named, and what is to be said to it. Never blocks."""


class Engine(Protocol):
    @property
    def running(self) -> int:
        """Choices that are being written."""
        ...

    @property
    def waiting(self) -> int: ...

    def ask(self, ask: Ask) -> None:
        """Take a request in, or refuse it. Never blocks: all that is to be said of it is told."""
        ...

    def cancel(self, ask: str) -> None: ...

    def close(self) -> None:
        """Let the model go. What is still being written is refused."""
        ...
