"""What an engine is asked to write or to score, and what it says of it."""

from typing import Annotated, Literal

from pydantic import Field

from contracts import Contract
from contracts.fault import FaultReport
from contracts.tools import MOST_CALLS, CallPiece, Form, FunctionCall, Toolbox

MOST_CHOICES = 16
MOST_STOPS = 16
MOST_ALTERNATIVES = 20
LONGEST_STOP = 256
Stop = Annotated[str, Field(min_length=1, max_length=LONGEST_STOP)]
FinishReason = Literal["stop", "length", "tool_calls"]


class Turn(Contract):
    """One message of a conversation, as chat templates read it."""

    role: Literal["system", "developer", "user", "assistant", "tool"]
    content: str
    calls: tuple[FunctionCall, ...] = Field((), max_length=MOST_CALLS)
    """That an assistant made. Their arguments are JSON objects."""
    tool_call_id: str | None = None
    """Of the call that a tool answers."""


class Sampling(Contract):
    """How to write. OpenAI's meaning of every word."""

    max_tokens: int | None = Field(None, ge=1)
    """None: until the context is full."""
    temperature: float = Field(1.0, ge=0, le=2)
    """0 is greedy."""
    top_p: float = Field(1.0, gt=0, le=1)
    stop: tuple[Stop, ...] = Field((), max_length=MOST_STOPS)
    """The text ends before the first of them."""
    seed: int | None = Field(None, ge=-(2**63), le=2**63 - 1)
    presence_penalty: float = Field(0.0, ge=-2, le=2)
    frequency_penalty: float = Field(0.0, ge=-2, le=2)
    logit_bias: dict[int, Annotated[float, Field(ge=-100, le=100)]] = Field({}, max_length=1024)
    """By token id."""
    alternatives: int | None = Field(None, ge=0, le=MOST_ALTERNATIVES)
    """How many of the likeliest tokens are told at each place. None: no log-probabilities at all."""


class Ask(Contract):
    """A request on its way to an engine."""

    type: Literal["ask"] = "ask"
    id: str
    deployment: str
    reply_to: str
    """The mailbox of the web process that holds the client's connection."""
    turns: tuple[Turn, ...] = ()
    """A conversation to go on with, or else `text` or `ids`."""
    text: str | None = None
    ids: tuple[int, ...] | None = None
    toolbox: Toolbox | None = None
    form: Form | None = None
    choices: int = Field(1, ge=1, le=MOST_CHOICES)
    sampling: Sampling = Sampling()
    in_pieces: bool = True
    """Whether somebody reads along. Else each choice is told once, when it is whole."""


class Spoken(Contract):
    """One message of a conversation that is scored. Its role is whatever the model was trained on."""

    role: str
    content: str


class Score(Contract):
    """How good is the answer that each of these conversations ends with? For a reward model."""

    type: Literal["score"] = "score"
    id: str
    deployment: str
    reply_to: str
    conversations: tuple[tuple[Spoken, ...], ...] = Field(min_length=1)


Question = Ask | Score


class Cancel(Contract):
    """Nobody waits for the answer any more."""

    type: Literal["cancel"] = "cancel"
    id: str


class Look(Contract):
    """There may be something to load: ask for duties now."""

    type: Literal["look"] = "look"


Letter = Annotated[Ask | Score | Cancel | Look, Field(discriminator="type")]


class Letters(Contract):
    letters: tuple[Letter, ...]
    mark: str = ""
    """Of the last letter. They come again until a later question names it."""


class Alternative(Contract):
    token: str
    bytes: tuple[int, ...]
    logprob: float
    """Under the model's own distribution: before temperature, penalties, top_p and whatever form the answer has."""


class Told(Alternative):
    """A token that was written, and the likeliest ones in its place."""

    top: tuple[Alternative, ...] = ()


class Numbered(Contract):
    """One thing said of a request."""

    ask: str
    number: int = 0
    """Counted by the host, upwards: what arrives a second time, because an answer was lost, is known by it."""


class Taken(Numbered):
    """The engine will answer."""

    type: Literal["taken"] = "taken"
    prompt_tokens: int = 0
    """Of the prompt that it has read. What is to be scored is read later, and counted with its marks."""


class Delta(Numbered):
    """A further piece of one choice. A piece may be of several tokens, or of one that shows no text yet."""

    type: Literal["delta"] = "delta"
    choice: int = 0
    text: str = ""
    tokens: int = 0
    """How many tokens it took."""
    logprobs: tuple[Told, ...] = ()
    calls: tuple[CallPiece, ...] = ()
    finish: FinishReason | None = None
    """With the choice's last piece."""


class Mark(Contract):
    """What became of one conversation."""

    score: float | None
    """Any number; higher is better. None where `fault` says why there is none."""
    tokens: int = Field(0, ge=0)
    """How long it is, as the model reads it."""
    fault: FaultReport | None = None


class Marks(Numbered):
    """One for each conversation, in their order. It is the last thing that is said of a request for scores."""

    type: Literal["marks"] = "marks"
    marks: tuple[Mark, ...]


class Refusal(Numbered):
    """The engine does not answer, or stops in the midst of it."""

    type: Literal["refusal"] = "refusal"
    fault: FaultReport


Said = Annotated[Taken | Delta | Marks | Refusal, Field(discriminator="type")]


class Reply(Contract):
    to: str
    """The mailbox that the request named."""
    said: Said


class Replies(Contract):
    replies: tuple[Reply, ...]
