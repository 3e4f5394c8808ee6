"""What a queue hands out, and what a source of it has to be able to do."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple, Protocol

from whetstone.accounts.models import Team, User
from whetstone.accounts.scope import owned
from whetstone.labels.models import Label
from whetstone.labels.said import Candidate, PromptTurn, Saying

MOST_LOOKED_AT = 2000
"""Places of the source that one request goes through."""


@dataclass(frozen=True)
class Pair:
    """A prompt with two answers, or without any: then whoever shows it asks the models first."""

    prompt: tuple[PromptTurn, ...]
    answers: tuple[Candidate, ...]
    source: str

    @property
    def key(self) -> str:
        """As the label of it will have."""
        if not self.answers:
            return self._saying(Candidate(text=""), Candidate(text="")).prompt_key()
        return self._saying(*self.answers).key(0)

    def _saying(self, *answers: Candidate) -> Saying:
        return Saying(kind="preference", verdict="tie", prompt=self.prompt, answers=answers)


class Source(Protocol):
    """Where pairs come from. Another one is a class with this method, and a line in `find`."""

    def pairs(self, start: int) -> Iterator[Pair | None]:
        """From this place on. None holds the place of something that is no pair.

        Raises:
            Fault: when there is nothing to read.
        """
        ...


class Queue(NamedTuple):
    pairs: list[Pair]
    next: int | None
    """Where to go on. None at the end of the source."""


def queue(user: User, team: Team, dataset: str, source: Source, start: int, limit: int) -> Queue:
    """The next pairs that this person has not labelled yet for this dataset, their answers in an order by chance, which
    stays the same for the same person."""
    mine = owned(Label, team).filter(user=user, dataset=dataset, is_withdrawn=False)
    done = {key for keys in mine.values_list("key", "prompt_key") for key in keys}
    found: list[Pair] = []
    place = start
    for place, pair in enumerate(source.pairs(start), start=start + 1):
        if pair is not None and pair.key not in done:
            found.append(_shuffled(pair, user))
        if len(found) == limit or place - start == MOST_LOOKED_AT:
            return Queue(found, place)
    return Queue(found, None)


def _shuffled(pair: Pair, user: User) -> Pair:
    answers = list(pair.answers)
    random.Random(f"{user.pk}:{pair.key}").shuffle(answers)
    return replace(pair, answers=tuple(answers))
