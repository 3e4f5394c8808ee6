"""The grader that asks a reward model, through the port."""

import math
from collections.abc import Callable, Mapping, Sequence

from graders.port import Conversation, Message, Port, Unreachable
from graders.receipt import Batch, Flagged, Item, Outcome, Sample
from graders.schema import RewardModelGrader
from graders.template import compile_template

_Read = Callable[[Sample, Item], Conversation]


def _sigmoid(score: float) -> float:
    return 0.5 * (1 + math.tanh(score / 2))  # exp(-score) would overflow


_SCALES: dict[str, Callable[[float], float]] = {"none": lambda score: score, "sigmoid": _sigmoid}


def reward_model(grader: RewardModelGrader) -> Batch:
    """The model's score of a conversation that ends with the answer; all conversations of a batch at once.

    What goes wrong is *not scored* here and never 0: the scores have no lowest one, and 0 may well be a good one.
    """
    read = _by_template(grader) if grader.input else _prompt_and_answer
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


def _read(read: _Read, sample: Sample, item: Item) -> Conversation | Outcome:
    try:
        return read(sample, item)
    except Flagged as problem:
        return Outcome(None, problem.errors)


def _by_template(grader: RewardModelGrader) -> _Read:
    turns = [(turn.role, compile_template(turn.content)) for turn in grader.input or ()]
    return lambda sample, item: [{"role": role, "content": text(sample, item)} for role, text in turns]


def _prompt_and_answer(sample: Sample, item: Item) -> Conversation:
    prompt, answer = sample.get("prompt"), sample.get("output_text")
    if not isinstance(prompt, list | tuple):
        raise Flagged("invalid_variable_error", "There is no “sample.prompt” here: the messages that were answered.")
    if not isinstance(answer, str):
        raise Flagged("invalid_variable_error", "There is no “sample.output_text” here.")
    return [*map(_message, prompt), {"role": "assistant", "content": answer}]


def _message(turn: object) -> Message:
    role, content = (turn.get("role"), turn.get("content")) if isinstance(turn, Mapping) else (None, None)
    if not isinstance(role, str) or not isinstance(content, str):
        raise Flagged("invalid_variable_error", "“sample.prompt” is not a list of messages with role and content.")
    return {"role": role, "content": content}
