"""How a grader reaches models and services. The library itself loads none: who calls `grade` brings them along.

A trainer has reward models in its own process and reaches judges through the worker beside it; a web page reaches
judges over HTTP (`graders.http`), or nothing at all.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from pydantic import JsonValue
from typing_extensions import TypedDict  # Pydantic reads no other before Python 3.12

from graders.usage import NOTHING, Usage

if TYPE_CHECKING:
    from graders.sandbox import Jails


class Message(TypedDict):
    """One turn of a conversation."""

    role: str
    content: str


Conversation = Sequence[Message]
Json = dict[str, JsonValue]


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
class Question:
    """What a judge is asked."""

    messages: list[Message]
    schema: Json
    """JSON Schema of the answer."""
    sampling: Json = field(default_factory=dict)
    """OpenAI's names: temperature, top_p, seed, max_completion_tokens, reasoning_effort."""
    attempt: int = 0
    """Counts the answers to this question that could not be read: a cache must not give them again."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a judge said, not yet read."""

    text: str
    usage: Usage = NOTHING
    was_cut: bool = False
    """Whether the judge ran out of tokens."""


@dataclass(frozen=True, slots=True)
class Vector:
    """A text's embedding."""

    values: list[float]
    usage: Usage = NOTHING


@dataclass(frozen=True, slots=True)
class Reply:
    """The JSON that a web service answered with."""

    body: JsonValue


@dataclass(frozen=True, slots=True)
class Silence:
    """Why there is no answer to one question, by OpenAI's flag: it is not scored."""

    flag: str
    reason: str
    usage: Usage = NOTHING


@dataclass(frozen=True, slots=True)
class Service:
    """A web service as a grader names it."""

    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    """Secrets stand here by their names; who carries the request puts in what they hold."""
    max_rps: float | None = None
    timeout_s: float = 60.0


class Judges(Protocol):
    """Language models that judge, each under the name that graders call it by."""

    def ask(self, model: str, questions: Sequence[Question]) -> Sequence[Answer | Silence]:
        """An answer, or the reason for none, for each question in their order. Raises Unreachable for all of them."""
        ...


class Embedders(Protocol):
    """Models that turn texts into vectors."""

    def embed(self, model: str, texts: Sequence[str]) -> Sequence[Vector | Silence]:
        """As Judges.ask."""
        ...


class Services(Protocol):
    """Web services that grade."""

    def post(self, service: Service, bodies: Sequence[Json]) -> Sequence[Reply | Silence]:
        """As Judges.ask, with an object of JSON for each request."""
        ...


@dataclass(frozen=True, slots=True)
class Port:
    """What can be reached from here, a field for each thing that can be done there. None: not from here."""

    scorers: Scorers | None = None
    jails: "Jails | None" = None
    """Where code is run, kept warm from batch to batch. Without, each batch has one of its own."""
    judges: Judges | None = None
    embedders: Embedders | None = None
    services: Services | None = None


NOWHERE = Port()
