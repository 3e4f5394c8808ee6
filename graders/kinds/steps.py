"""The grader that grades every step of an answer: a process reward, where the others reward the outcome."""

import math
from collections.abc import Callable, Sequence
from functools import partial
from statistics import fmean

from pydantic import JsonValue

from graders.kinds.multi import flags
from graders.pattern import Pattern
from graders.port import Port
from graders.problem import quoted
from graders.receipt import Batch, Flagged, Grade, Graded, Item, Outcome, Sample, used_by
from graders.schema import Steps
from graders.template import compile_template

_BEGINS = {
    "blank_line": r"\n[ \t]*\n",
    "line": r"\n",
    "step": r"(?im)^[ \t#>*_-]*(?:step\s*\d+|步骤\s*[\d一二三四五六七八九十]+|第\s*[\d一二三四五六七八九十]+\s*步)",
}
_AGGREGATES: dict[str, Callable[[Sequence[float]], float]] = {
    "mean": fmean,
    "min": min,
    "product": math.prod,
    "last": lambda scores: scores[-1],
}
SHOWN = 20


def steps(grader: Steps, graded: Graded) -> Batch:
    """The steps' scores as one, with all steps of a batch graded at once. What stands before the first mark is a step.

    What is wrong with a step is flagged on the whole too. Where a step is not scored, the whole is not. An answer
    without steps is 0.
    """
    text, begins = (
        compile_template(grader.input),
        Pattern((grader.pattern or "") if grader.split == "pattern" else _BEGINS[grader.split]),
    )
    cut = partial(begins.pieces, most=grader.max_steps, is_ours=grader.split != "pattern")
    put_together = _AGGREGATES[grader.aggregate]
    # Only made where it is read: for long answers it is long, and once for each step.
    tells_previous = "previous_steps" in grader.grader.model_dump_json()

    def pieces(sample: Sample, item: Item) -> list[str] | Flagged:
        try:
            return [piece for piece in cut(text(sample, item)) if piece.strip()]
        except Flagged as problem:
            return problem

    def as_samples(sample: Sample, found: list[str]) -> list[Sample]:
        told = [{**sample, "output_text": piece.strip()} for piece in found]
        if tells_previous:
            for n, one in enumerate(told):
                one["previous_steps"] = "".join(found[:n]).strip()
        return [*told]

    def batch(samples: Sequence[Sample], items: Sequence[Item], port: Port) -> list[Outcome]:
        found = [pieces(sample, item) for sample, item in zip(samples, items, strict=True)]
        asked: list[Sample] = []
        rows: list[Item] = []
        for sample, item, one in zip(samples, items, found, strict=True):
            if not isinstance(one, Flagged):
                asked += as_samples(sample, one)
                rows += [item] * len(one)
        grades = iter(graded(asked, rows, port))
        return [
            Outcome(0.0, one.errors) if isinstance(one, Flagged) else outcome(one, [next(grades) for _ in one])
            for one in found
        ]

    def outcome(found: list[str], grades: list[Grade]) -> Outcome:
        errors = flags({f"step {n}": grade for n, grade in enumerate(grades, 1)})
        scores = [grade.score for grade in grades if grade.score is not None]
        shown = zip(found[:SHOWN], grades[:SHOWN], strict=True)
        told: list[JsonValue] = [{"step": quoted(piece.strip()), "score": grade.score} for piece, grade in shown]
        usage = used_by(grades) or None
        if len(scores) < len(grades):
            return Outcome(None, errors, evidence={"steps": told}, usage=usage)
        score = put_together(scores) if scores else 0.0
        return Outcome(score, errors, evidence={"steps": told}, usage=usage)

    return batch
