"""What a conversation is: who is asked and how, and what was said."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from contracts import Contract

LONGEST_TEXT = 400_000
MOST_TURNS = 500
ModelName = Annotated[str, StringConstraints(min_length=1, max_length=256)]
Text = Annotated[str, StringConstraints(max_length=LONGEST_TEXT)]


class Manner(Contract):
    """How every model of the conversation is asked."""

    system: Text = ""
    temperature: float = Field(1.0, ge=0, le=2)
    top_p: float = Field(1.0, gt=0, le=1)
    max_tokens: int | None = Field(None, ge=1, le=1_000_000)
    seed: int | None = Field(None, ge=-(2**53), le=2**53)
    """Not beyond what a browser's numbers hold exactly."""


class Answer(Contract):
    """What one model answered to a message."""

    model: ModelName
    text: Text
    finish: Literal["stop", "length", "stopped", "broken"] | None = None
    """`stopped` by a person, `broken` off by a fault. None while it is being written."""
    written: Text | None = None
    """What the model wrote, where a person changed it."""


class ThreadTurn(Contract):
    """A message, and the answers to it side by side."""

    message: Text
    answers: tuple[Answer, ...] = Field((), max_length=2)
    goes_on: int = Field(0, ge=0, le=1)
    """Which answer the next turn follows upon: both models read the same conversation."""


class Thread(Contract):
    """The whole of it, as the page keeps it."""

    models: tuple[ModelName, ...] = Field(min_length=1, max_length=2)
    manner: Manner = Manner()
    turns: tuple[ThreadTurn, ...] = Field((), max_length=MOST_TURNS)

    @model_validator(mode="after")
    def goes_on_with_an_answer(self) -> "Thread":
        for number, turn in enumerate(self.turns, start=1):
            if turn.goes_on and turn.goes_on >= len(turn.answers):
                raise ValueError(f"turn {number} goes on with an answer that it does not have")
        return self
