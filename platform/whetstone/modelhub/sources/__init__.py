"""Where models come from: a hub, a folder of the server, an upload. Each lists its files and hands them over."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Protocol

from whetstone.modelhub.inspection.header import Readable

Tell = Callable[[int], None]
"""Told how many bytes of a file are there. It raises when nobody wants the rest."""


@dataclass(frozen=True)
class Listed:
    """One file as its source announces it."""

    size: int
    sha256: str = ""


@dataclass(frozen=True)
class Listing:
    files: dict[str, Listed] = field(default_factory=dict)
    commit: str = ""


class Source(Protocol):
    def listing(self) -> Listing:
        """Every file that is there. Raises Fault."""

    def open(self, path: str, size: int, tell: Tell) -> AbstractContextManager[Readable]:
        """A file's content from its beginning. Raises Fault."""
