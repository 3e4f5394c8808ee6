"""One thing that is wrong, said so that an operator can act on it."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """`mend` is there where mending is safe; it looks again first, and returns whether it changed something."""

    kind: str
    about: str
    what: str
    advice: str
    mend: Callable[[], bool] | None = None
