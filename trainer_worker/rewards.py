"""A grader as TRL's reward function, which keeps the receipts of what it scored."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import orjson

from contracts.fault import Fault
from graders import Grade, Port, grade
from graders.schema import Grader

Turns = list[dict[str, str]]


@dataclass
class Scored:
    """One batch of completions as it was graded, in the trainer's order."""

    prompts: list[Turns]
    texts: list[str]
    ids: list[list[int]]
    items: list[str]
    grades: list[Grade]


class GraderReward:
    """`f(prompts, completions, completion_ids, item, …) -> list[float | None]`; None is “not scored”."""

    def __init__(self, grader: Grader, port: Port) -> None:
        self.grader = grader
        self._port = port
        self.__name__ = grader.name or "grader"
        self.latest: Scored | None = None

    def __call__(
        self,
        prompts: list[Turns],
        completions: list[Turns],
        completion_ids: list[list[int]],
        item: list[str],
        log_metric: Callable[[str, float], None] | None = None,
        **_: Any,  # whatever else TRL passes
    ) -> list[float | None]:
        texts = [turns[-1]["content"] for turns in completions]
        grades = score(self.grader, prompts, texts, item, self._port)
        self.latest = Scored(prompts, texts, completion_ids, item, grades)
        refuse_silence(grades)
        if log_metric is not None:
            for name, value in sub_means(grades).items():
                log_metric(f"grades/{name}", value)
        return [one.score for one in grades]


def score(grader: Grader, prompts: list[Turns], texts: list[str], items: list[str], port: Port) -> list[Grade]:
    """Grade answers to these prompts against their rows' items (JSON)."""
    samples = [{"output_text": text, "prompt": turns} for turns, text in zip(prompts, texts, strict=True)]
    return grade(grader, samples, [orjson.loads(item) for item in items], port)


def refuse_silence(grades: list[Grade]) -> None:
    """Raises Fault(grader.always_fails) when not one answer of a batch could be scored without an error."""
    if grades and all(one.score is None or one.errors for one in grades):
        raise Fault("grader.always_fails", detail=_first_error(grades[0]))


def _first_error(one: Grade) -> str:
    told = [str(value) for flag, value in one.errors.items() if flag.endswith("_details")]
    return told[0] if told else "no score"


def sub_means(grades: list[Grade]) -> dict[str, float]:
    """Mean score of every part of a multi grader."""
    parts: dict[str, list[float]] = {}
    for one in grades:
        for name, sub in one.sub.items():
            if sub.score is not None:
                parts.setdefault(name, []).append(sub.score)
    return {name: sum(values) / len(values) for name, values in parts.items()}
