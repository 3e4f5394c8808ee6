"""What a person says of answers: which of two is better, whether one is good, or how it should have been."""

import hashlib
from typing import Annotated, Literal

import orjson
from pydantic import Field, StringConstraints, TypeAdapter, model_validator

from contracts import Contract
from contracts.dataset import Message, Shape

LONGEST_TEXT = 400_000
Kind = Literal["preference", "rating", "edit"]
Verdict = Literal["first", "second", "tie", "both_bad", "good", "bad", "edited"]
KIND: TypeAdapter[Kind] = TypeAdapter(Kind)
Text = Annotated[str, StringConstraints(max_length=LONGEST_TEXT)]

MAKES: dict[Kind, Shape] = {"preference": "preference", "rating": "labelled", "edit": "chat"}
"""The shape of the rows that each kind becomes."""
VERDICTS: dict[Kind, frozenset[Verdict]] = {
    "preference": frozenset({"first", "second", "tie", "both_bad"}),
    "rating": frozenset({"good", "bad"}),
    "edit": frozenset({"edited"}),
}


class PromptTurn(Contract):
    """One message of the prompt."""

    role: Literal["system", "developer", "user", "assistant", "tool"]
    content: Text

    def message(self) -> Message:
        return Message(role=self.role, content=self.content)


class Candidate(Contract):
    """An answer, and who wrote it."""

    text: Text
    model: Annotated[str, StringConstraints(max_length=256)] = ""


class Saying(Contract):
    """One label, as a person gives it."""

    kind: Kind
    verdict: Verdict
    prompt: tuple[PromptTurn, ...] = Field(min_length=1, max_length=1000)
    answers: tuple[Candidate, ...] = Field(min_length=1, max_length=2)
    """In the order in which they were shown."""
    edited: Text = ""
    """How the answer should have been."""
    source: Annotated[str, StringConstraints(max_length=300)] = ""
    """Where the answers were read: `conversation:conv-…`, `job:ftjob-…`, `dataset:name@2`."""
    manner: dict[Annotated[str, StringConstraints(max_length=32)], float | int | None] = Field({}, max_length=16)
    """With which settings they were sampled."""

    @model_validator(mode="after")
    def says_what_its_kind_can_say(self) -> "Saying":
        if self.verdict not in VERDICTS[self.kind]:
            raise ValueError(f"A {self.kind} says one of: {', '.join(sorted(VERDICTS[self.kind]))}.")
        if len(self.answers) != (2 if self.kind == "preference" else 1):
            raise ValueError("A preference is between two answers; the other kinds are about one.")
        if self.prompt[-1].role == "assistant":
            raise ValueError("The prompt ends with an answer already: leave it out.")
        return self

    @property
    def texts(self) -> list[str]:
        return [answer.text for answer in self.answers]

    def prompt_key(self) -> str:
        return _digest([[turn.role, turn.content] for turn in self.prompt])

    def key(self, author: int) -> str:
        """The same for the same answers to the same prompt, whoever wrote them and in whichever order they stood.

        Of a correction also for the same author: two people may mend one answer in two ways.
        """
        more = [author] if self.kind == "edit" else []
        return _digest([self.kind, self.prompt_key(), sorted(self.texts), *more])


def _digest(value: object) -> str:
    return hashlib.sha256(orjson.dumps(value)).hexdigest()
