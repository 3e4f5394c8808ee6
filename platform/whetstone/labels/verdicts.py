"""What several people's labels of one thing come to, as a row."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from whetstone.labels.models import Label
from whetstone.labels.said import Kind, PromptTurn, Saying


@dataclass(frozen=True)
class Outcome:
    """What most people said. `answers`: the better one first, or the one that is meant."""

    kind: Kind
    prompt: tuple[PromptTurn, ...]
    answers: tuple[str, ...]
    written_by: list[str]
    votes: list[int]
    """For it, and against it or undecided."""
    is_good: bool = True


def word_of(saying: Saying) -> str:
    """What was said, in words that do not depend on the order in which the answers stood, and that mean the same of
    every pair: the better one is the one that comes first, or last, in the alphabet."""
    if saying.verdict in ("first", "second"):
        is_last = saying.texts[saying.verdict == "second"] == max(saying.texts)
        return "better: last" if is_last else "better: first"
    return saying.verdict


def outcome_of(labels: Sequence[Label]) -> Outcome | None:
    """`labels`: all that were said of one thing and still stand. None where they make no row: nothing was preferred, or
    nobody has the most votes."""
    said = [label.said for label in labels]
    if not said:
        return None
    counted = Counter(map(word_of, said)).most_common(2)
    if len(counted) == 2 and counted[0][1] == counted[1][1]:
        return None
    word, votes = counted[0]
    saying = next(one for one in reversed(said) if word_of(one) == word)
    if saying.verdict in ("tie", "both_bad"):
        return None
    return _row(saying, [votes, len(said) - votes])


def _row(saying: Saying, votes: list[int]) -> Outcome:
    answers = saying.answers[::-1] if saying.verdict == "second" else saying.answers
    texts = tuple(answer.text for answer in answers)
    written_by = [answer.model for answer in answers]
    if saying.kind == "edit":
        return Outcome(saying.kind, saying.prompt, (saying.edited,), written_by, votes)
    return Outcome(saying.kind, saying.prompt, texts, written_by, votes, is_good=saying.verdict != "bad")
