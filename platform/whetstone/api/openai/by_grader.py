"""What each grader did at a step, under the keys of OpenAI's metrics events. Null is what no worker told."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from graders.run_response import FLAGS

Values = Mapping[str, float]
Row = dict[str, Any]  # Any: texts and numbers
EVERYWHERE = ("other_error", "sample_parse_error", "invalid_variable_error")
OF_KIND = {
    "python": "python_grader_",
    "score_model": "model_grader_",
    "label_model": "model_grader_",
    "rubric": "model_grader_",
    "endpoint": "endpoint_grader_",
}
"""How the errors begin that this kind alone can have."""
TOKENS = ("prompt_tokens", "completion_tokens")
SIDES = ("train", "valid")
_NO_REASONING = {f"{side}_reasoning_tokens_{kind}": None for side in SIDES for kind in ("mean", "count")}
"""Nobody here tells reasoning from the rest of an answer."""


class Part(NamedTuple):
    """A grader of its own, or one of a combination."""

    name: str
    type: str
    asks: str | None
    """The judge."""
    is_whole: bool

    @property
    def about(self) -> Row:
        return {"name": self.name, "type": self.type}


class Side(NamedTuple):
    """The answers of the step itself, or those to the held-out rows at this step."""

    name: str
    values: Values
    mean: str
    """Under which key the mean score of the whole stands."""

    def score(self, part: Part) -> float | None:
        return self.values.get(self.mean if part.is_whole else f"grades/{part.name}")

    def counted(self, key: str) -> float | None:
        """Workers tell what there is: nothing told is 0, where they counted at all."""
        return self.values.get(key, 0.0 if "graded" in self.values else None)

    def mean_and_count(self, key: str) -> tuple[float | None, float | None]:
        found, graded = self.counted(key), self.values.get("graded")
        return found / graded if found is not None and graded else None, found


class Error(NamedTuple):
    """One that a grader can have, on one side: where workers count it, and OpenAI's names for the counts."""

    key: str
    is_told_always: bool
    mean: str
    counted: str


@lru_cache(1024)
def errors_of(name: str, kind: str, side: str) -> tuple[Error, ...]:
    """The same at each of a job's thousands of steps."""
    own = OF_KIND.get(kind)
    return tuple(
        Error(
            f"errors/{name}/{flag}",
            flag in EVERYWHERE or (own is not None and flag.startswith(own)),
            f"{side}_{flag}_mean",
            f"{side}_{flag}_count",
        )
        for flag in FLAGS
    )


def parts_of(grader: Mapping[str, Any]) -> tuple[Part, ...]:
    if grader["type"] != "multi":
        return (Part(grader.get("name") or grader["type"], grader["type"], _judge(grader), True),)
    off = grader.get("disabled") or ()
    named = grader["graders"].items()
    return tuple(Part(name, one["type"], _judge(one), False) for name, one in named if name not in off)


def by_grader(parts: tuple[Part, ...], trained: Values, evaluated: Values) -> dict[str, Any]:
    """`usage`, `errors`, `scores` and `timing` with a row for each grader, and `model_graders_token_usage`."""
    before_penalty = "score_mean" if "score_mean" in trained else "reward"
    sides = (Side("train", trained, before_penalty), Side("valid", evaluated, "reward_mean"))
    judges = [part for part in parts if part.asks]
    return {
        "usage": {"graders": [_usage(part, sides) for part in judges], "samples": _NO_REASONING},
        "errors": {"graders": [_errors(part, sides) for part in parts]},
        "scores": {"graders": [_scores(part, sides) for part in parts]},
        "timing": {"graders": [_timing(part, sides) for part in parts]},
        "model_graders_token_usage": _by_model(judges, sides),
    }


def _judge(grader: Mapping[str, Any]) -> str | None:
    """A reward model of the hub has a model, too, and no tokens that somebody is paid for."""
    asked: str | None = grader.get("model") if OF_KIND.get(grader["type"]) == "model_grader_" else None
    return asked


def _usage(part: Part, sides: tuple[Side, ...]) -> Row:
    row = part.about | {"model": part.asks}
    for side in sides:
        for kind in TOKENS:
            mean, count = side.mean_and_count(f"judges/{part.name}/{kind}")
            row |= {f"{side.name}_{kind}_mean": mean, f"{side.name}_{kind}_count": count}
    return row


def _errors(part: Part, sides: tuple[Side, ...]) -> Row:
    row = part.about
    for side in sides:
        for error in errors_of(part.name, part.type, side.name):
            if error.is_told_always or error.key in side.values:
                row[error.mean], row[error.counted] = side.mean_and_count(error.key)
    return row


def _scores(part: Part, sides: tuple[Side, ...]) -> Row:
    return part.about | {f"{side.name}_reward_mean": side.score(part) for side in sides}


def _timing(part: Part, sides: tuple[Side, ...]) -> Row:
    return part.about | {
        f"{side.name}_execution_latency_mean": side.values.get(f"grading_s/{part.name}") for side in sides
    }


def _by_model(judges: list[Part], sides: tuple[Side, ...]) -> dict[str, Row]:
    """What several graders ask of one judge is summed."""
    found: dict[str, Row] = {}
    for part in judges:
        row = found.setdefault(str(part.asks), {})
        for side in sides:
            for kind in ("cached_tokens", *TOKENS):
                name = f"{'eval' if side.name == 'valid' else side.name}_{kind}"
                counted, before = side.counted(f"judges/{part.name}/{kind}"), row.get(name)
                row[name] = counted if before is None else before if counted is None else before + counted
    return found
