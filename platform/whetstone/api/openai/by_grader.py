"""What each grader did at a step, under the keys of OpenAI's metrics events. Null is what no worker told."""

from collections.abc import Iterator, Mapping
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

    def mean_and_count(self, name: str, key: str) -> Row:
        found, graded = self.counted(key), self.values.get("graded")
        mean = found / graded if found is not None and graded else None
        return {f"{self.name}_{name}_mean": mean, f"{self.name}_{name}_count": found}


def by_grader(grader: Mapping[str, Any], trained: Values, evaluated: Values) -> dict[str, Any]:
    """`usage`, `errors`, `scores` and `timing` with a row for each grader, and `model_graders_token_usage`."""
    before_penalty = "score_mean" if "score_mean" in trained else "reward"
    sides = (Side("train", trained, before_penalty), Side("valid", evaluated, "reward_mean"))
    parts = list(_parts(grader))
    judges = [part for part in parts if part.asks]
    return {
        "usage": {"graders": [_usage(part, sides) for part in judges], "samples": _no_reasoning(sides)},
        "errors": {"graders": [_errors(part, sides) for part in parts]},
        "scores": {"graders": [_scores(part, sides) for part in parts]},
        "timing": {"graders": [_timing(part, sides) for part in parts]},
        "model_graders_token_usage": _by_model(judges, sides),
    }


def _parts(grader: Mapping[str, Any]) -> Iterator[Part]:
    if grader["type"] != "multi":
        yield Part(grader.get("name") or grader["type"], grader["type"], _judge(grader), True)
        return
    for name, one in grader["graders"].items():
        if name not in (grader.get("disabled") or ()):
            yield Part(name, one["type"], _judge(one), False)


def _judge(grader: Mapping[str, Any]) -> str | None:
    """A reward model of the hub has a model, too, and no tokens that somebody is paid for."""
    asked: str | None = grader.get("model") if OF_KIND.get(grader["type"]) == "model_grader_" else None
    return asked


def _usage(part: Part, sides: tuple[Side, ...]) -> Row:
    row = part.about | {"model": part.asks}
    for side in sides:
        for kind in TOKENS:
            row |= side.mean_and_count(kind, f"judges/{part.name}/{kind}")
    return row


def _no_reasoning(sides: tuple[Side, ...]) -> Row:
    """Nobody here tells reasoning from the rest of an answer."""
    return {f"{side.name}_reasoning_tokens_{kind}": None for side in sides for kind in ("mean", "count")}


def _errors(part: Part, sides: tuple[Side, ...]) -> Row:
    row, own = part.about, OF_KIND.get(part.type)
    for side in sides:
        for flag in FLAGS:
            key = f"errors/{part.name}/{flag}"
            if flag in EVERYWHERE or (own and flag.startswith(own)) or key in side.values:
                row |= side.mean_and_count(flag, key)
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
