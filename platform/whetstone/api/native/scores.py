"""`/api/v1/scores`: what a reward model gives for answers."""

from typing import Annotated, Literal, NotRequired

from django.http import HttpRequest
from ninja import Router
from pydantic import AfterValidator, Discriminator, Field, Tag
from typing_extensions import TypedDict  # Pydantic reads no other before Python 3.12

from contracts import Contract
from contracts.completion import Mark, Spoken, Turn
from whetstone.api.answers import described, one_of
from whetstone.api.caller import caller
from whetstone.api.errors import ErrorJson, fault_json
from whetstone.deployments.scoring import marks_of

router = Router(tags=["scores"])
MOST_INPUTS = 1000
MOST_TURNS = 1000


def _answered(turns: list[Turn]) -> list[Turn]:
    if turns[-1].role != "assistant":
        raise ValueError("A conversation ends with the answer that is scored: a message of the role “assistant”.")
    return turns


Turns = Annotated[list[Turn], Field(min_length=1, max_length=MOST_TURNS)]


class Answered(Contract):
    """An answer to a prompt."""

    prompt: str | Turns
    """What a user said, or the messages so far."""
    answer: str
    """May be empty: that is an answer too."""

    @property
    def turns(self) -> list[Turn]:
        before = [Turn(role="user", content=self.prompt)] if isinstance(self.prompt, str) else self.prompt
        return [*before, Turn(role="assistant", content=self.answer)]


def _kind(given: object) -> str:
    """So that a mistake is told in the words of what was meant."""
    return "conversation" if isinstance(given, list) else "pair"


Conversation = Annotated[Turns, AfterValidator(_answered)]
Input = Annotated[Annotated[Answered, Tag("pair")] | Annotated[Conversation, Tag("conversation")], Discriminator(_kind)]


class ScoresRequest(Contract):
    model: str = Field(min_length=1, max_length=256)
    """A deployment by its name, or a reward model of the hub. It is loaded when it is asked for the first time."""
    input: list[Input] = Field(min_length=1, max_length=MOST_INPUTS)
    """Each a prompt with its answer, or a conversation that ends with the answer."""


@described
class ScoreJson(TypedDict):
    index: int
    """Of the input."""
    object: Annotated[str, one_of("score")]
    score: float | None
    """Any number; higher is better, and only scores of one model can be compared. null where there is an `error`."""
    error: NotRequired[ErrorJson]
    """Why there is none: `score.too_long` say. The other inputs are scored all the same."""


class ScoreUsageJson(TypedDict):
    prompt_tokens: int
    total_tokens: int


class ScoresJson(TypedDict):
    object: Literal["list"]
    data: list[ScoreJson]
    model: str
    usage: ScoreUsageJson


@router.post("")
async def create_scores(request: HttpRequest, body: ScoresRequest) -> ScoresJson:
    """How good a reward model finds answers: the same numbers that it gives in a training.

    A model that nobody has asked for a while is loaded first; when that takes longer than half a minute, 503 with
    `retry-after` says to come again.
    """
    marks = await marks_of(caller(request).team, body.model, [_spoken(one) for one in body.input])
    tokens = sum(mark.tokens for mark in marks)
    return {
        "object": "list",
        "data": [_score(place, mark) for place, mark in enumerate(marks)],
        "model": body.model,
        "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
    }


def _spoken(one: Answered | list[Turn]) -> list[Spoken]:
    turns = one.turns if isinstance(one, Answered) else one
    return [Spoken(role=turn.role, content=turn.content) for turn in turns]


def _score(place: int, mark: Mark) -> ScoreJson:
    told: ScoreJson = {"index": place, "object": "score", "score": mark.score}
    if mark.fault is not None:
        told["error"] = fault_json(mark.fault.model_copy(update={"field": f"input.{place}"}))
    return told
