"""What is asked of a comparison, like `delta > 0`, in the words of `whetstone gate`, and whether it is so."""

import operator
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from contracts.fault import Fault
from whetstone.evaluations.numbers import Measure

_FORM = re.compile(r"\s*([A-Za-z_][\w@]*?)\s*(>=|<=|>|<)\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*")
HOLDS = {">=": operator.ge, ">": operator.gt, "<=": operator.le, "<": operator.lt}
Judgement = Literal["met", "not_met", "unsure"]


@dataclass(frozen=True)
class Requirement:
    name: str
    sign: str
    bound: float

    def __str__(self) -> str:
        return f"{self.name} {self.sign} {self.bound:g}"

    def is_met_by(self, value: float) -> bool:
        return bool(HOLDS[self.sign](value, self.bound))


def read(text: str, names: Iterable[str]) -> Requirement:
    """Raises Fault evaluation.bad_requirement, also for a number that there is not."""
    found = _FORM.fullmatch(text)
    if found is None or found[1] not in names:
        raise Fault("evaluation.bad_requirement", field="require", text=text[:100], names=", ".join(names))
    return Requirement(found[1], found[2], float(found[3]))


def judge(one: Requirement, measure: Measure) -> Judgement:
    """By the whole interval where there is one: it meets the bar when all of it does, and misses it when none does."""
    low, high = measure["low"], measure["high"]
    if low is None or high is None:
        return "met" if one.is_met_by(measure["value"]) else "not_met"
    worst, best = (low, high) if ">" in one.sign else (high, low)
    if one.is_met_by(worst):
        return "met"
    return "unsure" if one.is_met_by(best) else "not_met"
