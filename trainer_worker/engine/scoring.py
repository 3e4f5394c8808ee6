"""The engine of a reward model: scores for whoever asks, many conversations in one pass.

Every pass takes one conversation of each request in turn, so that a request for a few does not wait behind one for a
thousand.
"""

import logging
import math
import threading
from dataclasses import dataclass, field
from pathlib import Path

from contracts.completion import Mark, Marks, Refusal, Score, Spoken, Taken
from contracts.fault import Fault, FaultReport
from contracts.method import Hyperparameters
from contracts.serving import Load
from graders.port import Conversation
from trainer_worker.engine.port import Tell
from trainer_worker.pretrained import READING, use_bf16
from trainer_worker.scorer import Scorer, load_scorer

log = logging.getLogger(__name__)
MOST_WAITING = 4096
"""Conversations that wait. Whoever comes then is told to come again."""
TOKENS_AT_ONCE = 4096
"""Of a pass: what is free beside a model is enough, and others do not wait long. A longer conversation passes alone."""


def scorer_from(name: str, folder: Path) -> Scorer:
    """In the precision of a training that leaves it open. Raises Fault evaluator.not_a_reward_model."""
    with READING:
        return load_scorer(name, folder, in_bf16=use_bf16(Hyperparameters()))


@dataclass(eq=False)
class Request:
    """What one letter asks for, while it is being answered."""

    letter: Score
    marks: list[Mark | None] = field(init=False)
    ids: dict[int, list[int]] = field(default_factory=dict)
    """Of the conversations that wait, by their places in the letter; the shortest stands first."""
    is_read: bool = False

    def __post_init__(self) -> None:
        self.marks = [None] * len(self.letter.conversations)

    @property
    def left(self) -> int:
        return self.marks.count(None)


Place = tuple[Request, int, list[int]]
"""One conversation in a pass: whose it is, its place there, and its token ids."""


class ScoringEngine:
    """`name`: as people call the model."""

    def __init__(self, name: str, scorer: Scorer, tell: Tell) -> None:
        self.name, self._scorer, self._tell = name, scorer, tell
        self._requests: list[Request] = []
        self._passing: list[Place] = []
        self._changed = threading.Condition()
        self._is_closed = False
        self._thread = threading.Thread(target=self._run, name=f"engine {name}", daemon=True)
        self._thread.start()

    @property
    def fault(self) -> FaultReport | None:
        """What breaks while it scores breaks requests, and never the engine."""
        return None

    def hold(self, load: Load, adapter: Path | None) -> None:
        """A reward model is loaded whole: there is nothing to lay over it."""

    def let_go(self, deployment: str) -> None:
        self._refuse([one for one in self._all() if one.letter.deployment == deployment], LOST)

    def busy_with(self, deployment: str) -> tuple[int, int]:
        with self._changed:
            running = sum(one.letter.deployment == deployment for one, _, _ in self._passing)
            left = sum(one.left for one in self._requests if one.letter.deployment == deployment)
        return running, max(0, left - running)

    def score(self, letter: Score) -> None:
        with self._changed:
            waiting = sum(one.left for one in self._requests)
            is_taken = waiting + len(letter.conversations) <= MOST_WAITING and not self._is_closed
            if is_taken:
                self._tell(letter.reply_to, Taken(ask=letter.id))
                self._requests.append(Request(letter))
                self._changed.notify()
        if not is_taken:
            fault = FaultReport(code="engine.busy", params={"model": self.name, "waiting": waiting})
            self._tell(letter.reply_to, Refusal(ask=letter.id, fault=fault))

    def cancel(self, ask: str) -> None:
        self._remove([one for one in self._all() if one.letter.id == ask])

    def close(self) -> None:
        with self._changed:
            self._is_closed = True
            self._changed.notify()
        self._thread.join()

    def _all(self) -> list[Request]:
        with self._changed:
            return [*self._requests]

    def _run(self) -> None:
        while self._wait():
            try:
                self._read()
                self._pass()
            except Exception as error:
                log.exception("model “%s” broke while it scored", self.name)
                self._refuse(self._broken(), _broken(error))
        self._refuse(self._all(), LOST)

    def _wait(self) -> bool:
        """Returns when there is something to score. False once the engine is closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._requests or self._is_closed)
        return not self._is_closed

    def _broken(self) -> list[Request]:
        """Those of the pass, or else the one whose conversations were being read."""
        with self._changed:
            places, self._passing = self._passing, []
        return list(dict.fromkeys(one for one, _, _ in places)) or [one for one in self._all() if not one.is_read][:1]

    def _read(self) -> None:
        """Conversations become tokens; those that cannot be scored are marked so at once."""
        for one in [one for one in self._all() if not one.is_read]:
            for place, conversation in enumerate(one.letter.conversations):
                one.marks[place] = self._read_one(one, place, conversation)
            one.ids = dict(sorted(one.ids.items(), key=lambda item: len(item[1])))
            one.is_read = True
            self._tell_if_done(one)

    def _read_one(self, one: Request, place: int, conversation: tuple[Spoken, ...]) -> Mark | None:
        """None for one that is to be scored."""
        try:
            (ids,) = self._scorer.read([spoken(conversation)])
        except Fault as fault:
            return Mark(score=None, fault=fault.report)
        if not ids:
            return Mark(score=None, fault=FaultReport(code="score.empty"))
        if len(ids) > self._scorer.context:
            params: dict[str, str | int | float] = {"context": self._scorer.context, "tokens": len(ids)}
            return Mark(score=None, tokens=len(ids), fault=FaultReport(code="score.too_long", params=params))
        one.ids[place] = ids
        return None

    def _pass(self) -> None:
        places = self._next()
        if not places:
            return
        scores = self._scorer.give([ids for _, _, ids in places])
        for (one, place, ids), score in zip(places, scores, strict=True):
            one.marks[place] = self._mark(score, len(ids))
        with self._changed:
            self._passing = []
        for one in dict.fromkeys(one for one, _, _ in places):
            self._tell_if_done(one)

    def _next(self) -> list[Place]:
        """One conversation of each request in turn, as many as fit into one pass. One always fits."""
        with self._changed:
            places: list[Place] = []
            longest = 0
            turn = [one for one in self._requests if one.ids]
            while turn:
                for one in [*turn]:
                    place, ids = next(iter(one.ids.items()))
                    longest = max(longest, len(ids))
                    if places and (len(places) + 1) * longest > TOKENS_AT_ONCE:
                        turn = []
                        break
                    places.append((one, place, one.ids.pop(place)))
                    if not one.ids:
                        turn.remove(one)
            self._passing = places
            self._requests = [*self._requests[1:], *self._requests[:1]]  # who was first is last the next time
        return places

    def _mark(self, score: float, tokens: int) -> Mark:
        if math.isfinite(score):
            return Mark(score=score, tokens=tokens)
        fault = FaultReport(code="score.not_a_number", params={"model": self.name, "score": str(score)})
        return Mark(score=None, tokens=tokens, fault=fault)

    def _tell_if_done(self, one: Request) -> None:
        marks = [mark for mark in one.marks if mark is not None]
        if len(marks) == len(one.marks) and self._remove([one]):
            self._tell(one.letter.reply_to, Marks(ask=one.letter.id, marks=tuple(marks)))

    def _refuse(self, requests: list[Request], fault: FaultReport) -> None:
        for one in self._remove(requests):
            self._tell(one.letter.reply_to, Refusal(ask=one.letter.id, fault=fault))

    def _remove(self, requests: list[Request]) -> list[Request]:
        """Those that were still there: nobody else answers them."""
        with self._changed:
            found = [one for one in requests if one in self._requests]
            self._requests = [one for one in self._requests if one not in found]
        return found


LOST = FaultReport(code="engine.lost")


def spoken(conversation: tuple[Spoken, ...]) -> Conversation:
    return [{"role": turn.role, "content": turn.content} for turn in conversation]


def _broken(error: Exception) -> FaultReport:
    return FaultReport(code="score.broken", params={"detail": (str(error) or type(error).__name__)[:300]})
