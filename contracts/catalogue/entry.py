"""What is said of a fault."""

from typing import Literal

Cause = Literal["user", "data", "grader", "capacity", "platform"]
Entry = tuple[Cause, str, str]
"""Who can mend it, what happened, what to do next. The texts are gettext message ids: `{name}` is filled from the
fault's params after translation."""
