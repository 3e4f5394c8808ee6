"""What a gate asks for, like `valid_reward_mean >= 0.8`, and whether it is so."""

import operator
import re
from dataclasses import dataclass
from typing import Literal

from whetstone_cli.api import Json
from whetstone_cli.ends import Ended, Exit

_FORM = re.compile(r"\s*([A-Za-z_][\w./-]*?)\s*(>=|<=|>|<)\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*")
HOLDS = {">=": operator.ge, ">": operator.gt, "<=": operator.le, "<": operator.lt}
Verdict = Literal["passed", "failed", "unknown"]


@dataclass(frozen=True)
class Requirement:
    name: str
    sign: str
    bound: float

    def __str__(self) -> str:
        return f"{self.name} {self.sign} {self.bound:g}"

    @classmethod
    def read(cls, text: str) -> "Requirement":
        """Raises Ended."""
        found = _FORM.fullmatch(text)
        if found is None:
            raise Ended(Exit.USAGE, f"“{text}” is no requirement.", 'Write one like "valid_reward_mean >= 0.8".')
        return cls(found[1], found[2], float(found[3]))

    def is_met_by(self, value: float) -> bool:
        return bool(HOLDS[self.sign](value, self.bound))


@dataclass(frozen=True)
class Judged:
    """A requirement, the number that it is about, and the verdict."""

    requirement: Requirement
    measure: Json
    """None where the job's evaluations have no such number."""
    verdict: Verdict
    why: str

    @property
    def interval(self) -> str:
        m = self.measure
        return f"{m['low']:.4g} to {m['high']:.4g}" if m and m["low"] is not None else ""


def judge(requirement: Requirement, measures: Json, *, is_strict: bool) -> Judged:
    """Strict: the end of the interval that is nearer to failing must meet it too."""
    measure = next((one for one in measures if one["name"] == requirement.name), None)
    if measure is None:
        names = ", ".join(one["name"] for one in measures)
        return Judged(requirement, None, "unknown", f"There is no {requirement.name}. There are: {names}.")
    value = measure["value"]
    if not requirement.is_met_by(value):
        return Judged(requirement, measure, "failed", f"It is {value:.6g}.")
    if not is_strict:
        return Judged(requirement, measure, "passed", f"It is {value:.6g}.")
    worst = measure["low"] if ">" in requirement.sign else measure["high"]
    if worst is None:
        sentence = f"It is {value:.6g}, and nothing says how sure that is: the worker told no rows."
        return Judged(requirement, measure, "unknown", sentence)
    verdict: Verdict = "passed" if requirement.is_met_by(worst) else "failed"
    return Judged(requirement, measure, verdict, f"It is {value:.6g}, and may be {worst:.6g}.")
