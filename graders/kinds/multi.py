"""Graders made of graders."""

from collections.abc import Mapping, Sequence

from graders.port import Port
from graders.receipt import Batch, Flagged, Grade, Graded, Item, Outcome, Sample, used_by
from graders.schema import Multi


def multi(grader: Multi, parts: Mapping[str, Graded]) -> Batch:
    """The value of the formula over the parts' scores, with every part's grade.

    What is wrong with a part is flagged on the whole too. Where a part that the formula reads is not scored, the
    whole is not.
    """
    formula = grader.formula

    def combine(sub: dict[str, Grade]) -> Outcome:
        errors, usage = flags(sub), used_by([*sub.values()]) or None
        scores = {name: part.score for name, part in sub.items() if part.score is not None}
        if not formula.names <= scores.keys():
            return Outcome(None, errors, sub, usage=usage)
        try:
            return Outcome(formula(scores), errors, sub, usage=usage)
        except Flagged as problem:
            return Outcome(grader.invalid_grade or 0.0, errors | problem.errors, sub, usage=usage)

    def batch(samples: Sequence[Sample], items: Sequence[Item], port: Port) -> list[Outcome]:
        columns = [part(samples, items, port) for part in parts.values()]
        return [combine(dict(zip(parts, row, strict=True))) for row in zip(*columns, strict=True)]

    return batch


def flags(sub: Mapping[str, Grade]) -> dict[str, bool | str]:
    """What is wrong with the parts, each said with its name."""
    found: dict[str, bool | str] = {}
    for name, part in sub.items():
        for flag, said in part.errors.items():
            if isinstance(said, str):
                said = f"{found[flag]} {name}: {said}" if flag in found else f"{name}: {said}"
            found[flag] = said
    return found
