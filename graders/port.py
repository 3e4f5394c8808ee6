"""How a grader reaches models. The library itself loads none: who calls `grade` brings them along.

A trainer has them in its own process; a web page may reach them over HTTP, or not at all.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypedDict

if TYPE_CHECKING:
    from graders.sandbox import Jails


class Message(TypedDict):
    """One turn of a conversation."""

    role: str
    content: str


Conversation = Sequence[Message]


class Unreachable(Exception):
    """A model cannot be asked, with a sentence that says why: what waits for it is not scored."""


class Scorers(Protocol):
    """Reward models, each under the name that graders call it by."""

    def score(self, model: str, conversations: Sequence[Conversation]) -> Sequence[float | None]:
        """What the model gives for each conversation, in their order; None for one that is too long for it.

        Raises Unreachable for all of them.
        """
        ...


@dataclass(frozen=True, slots=True)
class Port:
    """What can be reached from here, a field for each thing that can be done there. None: not from here."""

    scorers: Scorers | None = None
    jails: "Jails | None" = None
    """Where code is run, kept warm from batch to batch. Without, each batch has one of its own."""


NOWHERE = Port()
