"""The grader that asks a reward model, through the port."""

import math
from collections.abc import Callable, Sequence

from graders.kinds.conversation import Read, conversation_of
from graders.port import Conversation, Port, Unreachable
from graders.receipt import Batch, Flagged, Item, Outcome, Sample
from graders.schema import RewardModelGrader


def _sigmoid(score: float) -> float:
    return 0.5 * (1 + math.tanh(score / 2))  # exp(-score) would overflow


_SCALES: dict[str, Callable[[float], float]] = {"none": lambda score: score, "sigmoid": _sigmoid}


def reward_model(grader: RewardModelGrader) -> Batch:
    """The model's score of a conversation that ends with the answer; all conversations of a batch at once.

    What goes wrong is *not scored* here and never 0: the scores have no lowest one, and 0 may well be a good one.
    """
    read = conversation_of(grader.input)
    scale = _SCALES[grader.scale]

    def batch(samples: Sequence[Sample], items: Sequence[Item], port: Port) -> list[Outcome]:
        told = [_read(read, sample, item) for sample, item in zip(samples, items, strict=True)]
        asked = [one for one in told if not isinstance(one, Outcome)]
        answers = iter(_ask(grader.model, asked, scale, port))
        return [one if isinstance(one, Outcome) else next(answers) for one in told]

    return batch


def _ask(model: str, asked: list[Conversation], scale: Callable[[float], float], port: Port) -> list[Outcome]:
    if not asked:
        return []
    try:
        if port.scorers is None:
            raise Unreachable(f"The reward model “{model}” cannot be asked here.")
        scores = port.scorers.score(model, asked)
    except Unreachable as error:
        return [_not_scored("model_grader_server_error", str(error)) for _ in asked]
    return [_outcome(model, score, scale) for _, score in zip(asked, scores, strict=True)]


def _outcome(model: str, score: float | None, scale: Callable[[float], float]) -> Outcome:
    if score is None:
        return _not_scored("other_error", f"The conversation is longer than the reward model “{model}” can read.")
    if not math.isfinite(score):
        return _not_scored("model_grader_parse_error", f"The reward model “{model}” gave {score}, which is no score.")
    return Outcome(scale(score))


def _not_scored(flag: str, details: str) -> Outcome:
    return Outcome(None, Flagged(flag, details).errors)


def _read(read: Read, sample: Sample, item: Item) -> Conversation | Outcome:
    try:
        return read(sample, item)
    except Flagged as problem:
        return Outcome(None, problem.errors)
