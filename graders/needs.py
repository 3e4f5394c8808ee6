"""What a grader has to reach, read off its JSON before anything is graded."""

from collections.abc import Callable

from graders.schema import (
    CodeTests,
    Endpoint,
    Grader,
    LabelModel,
    Math,
    Python,
    RewardModelGrader,
    Rubric,
    ScoreModel,
    TextSimilarity,
    secret_names,
)


def models_of(grader: Grader) -> dict[str, str]:
    """The reward models that a grader asks, by name, each with the path in the grader where it is first named."""
    return _found(grader, _reward_model)


FULL_SCORE = 1.0 - 1e-9
"""A score from here on is a full one, unless the grader names its own threshold."""


def full_score(grader: Grader) -> float | None:
    """The score from which on an answer is right. None where a reward model is asked and nobody has set a threshold:
    its scores have no full one."""
    if grader.pass_threshold is not None:
        return grader.pass_threshold
    return None if models_of(grader) else FULL_SCORE


def judges_of(grader: Grader) -> dict[str, str]:
    """The judges and embedding models that a grader asks over HTTP, as models_of."""
    return _found(grader, _judge)


def secrets_of(grader: Grader) -> dict[str, str]:
    """The secrets that a grader's headers refer to, as models_of."""
    return _found(grader, _secrets)


def asks_outside(grader: Grader) -> bool:
    """Whether grading takes requests over HTTP."""
    return bool(_found(grader, lambda one: {**_judge(one), **_address(one)}))


def runs_code(grader: Grader) -> bool:
    """Whether grading takes a jail."""
    return isinstance(grader, Python | CodeTests | Math) or any(map(runs_code, grader.parts().values()))


_Named = Callable[[Grader], dict[str, str]]


def _found(grader: Grader, named: _Named) -> dict[str, str]:
    found = named(grader)
    for place, part in grader.parts().items():
        for name, path in _found(part, named).items():
            found.setdefault(name, f"{place}.{path}")
    return found


def _reward_model(grader: Grader) -> dict[str, str]:
    return {grader.model: "model"} if isinstance(grader, RewardModelGrader) else {}


def _judge(grader: Grader) -> dict[str, str]:
    match grader:
        case ScoreModel() | LabelModel() | Rubric():
            return {grader.model: "model"}
        case TextSimilarity(evaluation_metric="cosine", embedding_model=str(model)):
            return {model: "embedding_model"}
    return {}


def _secrets(grader: Grader) -> dict[str, str]:
    return dict.fromkeys(sorted(secret_names(grader)), "headers") if isinstance(grader, Endpoint) else {}


def _address(grader: Grader) -> dict[str, str]:
    return {grader.url: "url"} if isinstance(grader, Endpoint) else {}
