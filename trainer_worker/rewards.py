"""A grader as TRL's reward function, which keeps the receipts of what it scored."""

from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass
from statistics import mean, pstdev
from typing import Any

import orjson

from contracts.fault import Fault
from graders import Grade, Port, grade, sample_of
from graders.receipt import used_by
from graders.schema import Grader
from trainer_worker.overlong import Overlong

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
        self.overlong: Overlong | None = None
        """Taken from every score, where the method wants that."""
        self.latest: Scored | None = None
        self._unscored = Unscored()
        self._graded: list[Grade] | None = None
        self._counts: dict[str, float] = {}

    def grades(self, prompts: list[Turns], texts: list[str], items: list[str], tokens: list[int]) -> list[Grade]:
        """What the grader says, with nothing taken from it."""
        return score(self.grader, prompts, texts, items, tokens, self._port)

    def expect(self, grades: list[Grade], counts: dict[str, float]) -> None:
        """The next batch is graded already, and that goes with its metrics."""
        self._graded, self._counts = grades, counts

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
        graded, self._graded = self._graded, None
        tokens = [len(ids) for ids in completion_ids]
        grades = self.grades(prompts, texts, item, tokens) if graded is None else graded
        refuse_silence(grades)
        self._unscored.watch(grades)
        counts, self._counts = self._counts | taken(grades), {}
        if self.overlong is not None:
            counts = counts | spread(grades)
            grades = [self.overlong.shape(one, count) for one, count in zip(grades, tokens, strict=True)]
        self.latest = Scored(prompts, texts, completion_ids, item, grades)
        if log_metric is not None:
            parts = {f"grades/{name}": value for name, value in sub_means(grades).items()}
            for name, value in (parts | counts).items():
                log_metric(name, value)
        return [one.score for one in grades]


def score(
    grader: Grader, prompts: list[Turns], texts: list[str], items: list[str], tokens: list[int], port: Port
) -> list[Grade]:
    """Grade answers of so many tokens to these prompts against their rows' items (JSON)."""
    samples = [
        {"prompt": turns, "output_tokens": count, **sample_of(text)}
        for turns, text, count in zip(prompts, texts, tokens, strict=True)
    ]
    return grade(grader, samples, [orjson.loads(item) for item in items], port)


def refuse_silence(grades: list[Grade]) -> None:
    """Raises Fault(grader.always_fails) when not one answer of a batch could be scored without an error.

    An answer that holds nothing to read, no JSON say, is scored like any other: the model may learn to write some.
    """
    if grades and all(map(failed, grades)):
        raise Fault("grader.always_fails", detail=_first_error(grades[0]))


def failed(one: Grade) -> bool:
    flags = {flag for flag, said in one.errors.items() if said is True}
    return one.score is None or bool(flags - {"sample_parse_error"})


class Unscored:
    """Over the last gradings, whether most of them came to anything. A judge may be out for a moment, not for long."""

    WINDOW = 100

    def __init__(self) -> None:
        self._recent: deque[bool] = deque()

    def watch(self, grades: list[Grade]) -> None:
        """Raises Fault(grader.mostly_unscored) when more than half of the last WINDOW, or of a larger batch, were
        not scored, or only by a Python grader that failed."""
        self._recent.extend(map(came_to_nothing, grades))
        window = max(self.WINDOW, len(grades))
        while len(self._recent) > window:
            self._recent.popleft()
        lost = sum(self._recent)
        if len(self._recent) == window and 2 * lost > window:
            latest = next((one for one in reversed(grades) if came_to_nothing(one)), grades[-1])
            raise Fault("grader.mostly_unscored", lost=str(lost), of=str(window), detail=_first_error(latest))


def came_to_nothing(one: Grade) -> bool:
    return one.score is None or bool(one.errors.get("python_grader_runtime_error"))


def taken(grades: list[Grade]) -> dict[str, float]:
    """What asking judges took for this batch, and the share that is not scored: where there is any."""
    found = by_part(grades)
    if usage := [*used_by(grades).values()]:
        found |= {
            "judges/calls": float(sum(one.calls for one in usage)),
            "judges/tokens": float(sum(one.prompt_tokens + one.completion_tokens for one in usage)),
            "judges/cost": sum(one.cost for one in usage),
        }
    if lost := sum(one.score is None for one in grades):
        found["not_scored"] = lost / len(grades)
    return found


def by_part(grades: list[Grade]) -> dict[str, float]:
    """How many were graded; of each grader its seconds an answer, and by kind the errors that were raised and the
    tokens that its judge took, where there are any."""
    counts: Counter[str] = Counter(graded=len(grades))
    seconds: dict[str, list[float]] = {}
    for one in grades:
        for name, part in parts_of(one).items():
            seconds.setdefault(f"grading_s/{name}", []).append(part.time_s)
            counts.update({f"errors/{name}/{flag}": 1 for flag, said in part.errors.items() if said is True})
            for used in (part.usage or {}).values():
                counts[f"judges/{name}/prompt_tokens"] += used.prompt_tokens
                counts[f"judges/{name}/completion_tokens"] += used.completion_tokens
                counts[f"judges/{name}/cached_tokens"] += used.cached_tokens
    told = {name: float(count) for name, count in counts.items() if count}
    return told | {name: mean(values) for name, values in seconds.items()}


def parts_of(one: Grade) -> dict[str, Grade]:
    """The grades of a combination's parts, or the one that there is, by the grader's name."""
    return one.sub if one.type == "multi" else {one.name: one}


def _first_error(one: Grade) -> str:
    told = [str(value) for flag, value in one.errors.items() if flag.endswith("_details")]
    return told[0] if told else "no score"


def spread(grades: list[Grade]) -> dict[str, float]:
    """Mean and standard deviation of the scores that there are."""
    scores = [one.score for one in grades if one.score is not None]
    return {"score_mean": mean(scores), "score_std": pstdev(scores)} if scores else {}


def sub_means(grades: list[Grade]) -> dict[str, float]:
    """Mean score of every part of a multi grader."""
    parts: dict[str, list[float]] = {}
    for one in grades:
        for name, sub in one.sub.items():
            if sub.score is not None:
                parts.setdefault(name, []).append(sub.score)
    return {name: sum(values) / len(values) for name, values in parts.items()}
