r"""The grader that compares mathematics, by math-verify: sympy behind a parser of LaTeX and of plain expressions.

What a model writes can make them hang or eat memory (`10^{10^{10^{10}}}`), and no thread can be stopped from outside.
So they run in a jail, which ends what takes too long and goes on with the rest.
"""

import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext

from graders.port import Port
from graders.problem import quoted
from graders.receipt import Batch, Flagged, Item, Outcome, Sample
from graders.sandbox import Jail, Jails, Limits, Unsafe, Verdict
from graders.schema.numbers import Math
from graders.template import compile_template

# What runs in the jail: `asked` is the answer's text, `right` the reference. It prints what it read.
SOURCE = r"""
import functools, json, logging, re
logging.disable(logging.CRITICAL)  # math-verify warns that nobody stops it; the jail does
from math_verify import parse, verify

BOXED = re.compile(r"\\boxed\s*\{")
COMMAND, WORD = re.compile(r"\\[A-Za-z]+\s*(\{[A-Za-z ]*\})?"), re.compile(r"[A-Za-z]{3}")

def last_boxed(text):
    found = [match.end() for match in BOXED.finditer(text)]
    for start in reversed(found):
        depth = 1
        for end in range(start, len(text)):
            depth += {"{": 1, "}": -1}.get(text[end], 0)
            if depth == 0:
                return "$" + text[start:end] + "$"
    return ""

def marked(text):
    # A text that is one bare formula gets dollars, or math-verify would look for numbers in it.
    is_marked = any(mark in text for mark in ("$", r"\boxed", r"\(", r"\["))
    is_formula = any(sign in text for sign in "\\^_") and not WORD.search(COMMAND.sub(" ", text))
    return text if is_marked or not is_formula else "$" + text.strip() + "$"

def read_from(text):
    return parse(marked(text), parsing_timeout=None) if text.strip() else []

read_right = functools.lru_cache(maxsize=256)(read_from)  # a group of answers has one reference

def grade(answer, asked):
    right = read_right(asked["right"])
    read = read_from(last_boxed(answer) if asked["find"] == "boxed" else answer)
    print(json.dumps({"read": read and str(read[-1])[:200], "right": right and str(right[-1])[:200]}))
    if not right or not read:
        return 0
    return 1 if verify(right, read, float_rounding=asked["decimals"], timeout_seconds=None) else 0
"""
# math-verify's parsers are built at their first use, which takes as long as dozens of comparisons.
WARM = r"""
import logging
logging.disable(logging.CRITICAL)
from math_verify import parse, verify
verify(parse("$\\frac{1}{2}$", parsing_timeout=None), parse("0.5", parsing_timeout=None), timeout_seconds=None)
"""
# A process of a jail may use a limited amount of processor time, which longer batches would exceed.
CALLS_AT_ONCE = 500
SHARE_S = 0.05
"""How long an ordinary comparison may take on a busy machine: so much longer may a batch take for each."""

_Call = tuple[str, dict[str, object]]


def math(grader: Math) -> Batch:
    """1 when both mean the same, 0 when not or when the answer holds no mathematics.

    A pair that takes too long, and a right answer that cannot be read, are 0 with other_error. *Not scored*: no jail
    on this machine, or a batch in which so many took too long that no time was left.
    """
    text, reference = compile_template(grader.input), compile_template(grader.reference)
    limits = Limits(timeout_s=grader.timeout_s)

    def call(sample: Sample, item: Item) -> _Call | Outcome:
        try:
            wanted = reference(sample, item)
            return text(sample, item), {"right": wanted, "find": grader.find, "decimals": grader.decimals}
        except Flagged as problem:
            return Outcome(0.0, problem.errors)

    def batch(samples: Sequence[Sample], items: Sequence[Item], port: Port) -> list[Outcome]:
        asked = [call(sample, item) for sample, item in zip(samples, items, strict=True)]
        calls = [one for one in asked if not isinstance(one, Outcome)]
        told = iter(_compare(calls, limits, port))
        return [one if isinstance(one, Outcome) else _outcome(one, next(told)) for one in asked]

    return batch


def _compare(calls: Sequence[_Call], limits: Limits, port: Port) -> list[Verdict]:
    """Spread over jails, one a processor."""
    if not calls:
        return []
    found: list[Verdict | None] = [None] * len(calls)

    def work(jail: Jail, numbers: range) -> None:
        for start in range(0, len(numbers), CALLS_AT_ONCE):
            part = numbers[start : start + CALLS_AT_ONCE]
            budget_s = limits.budget_s + SHARE_S * len(part)
            for n, verdict in zip(part, jail.run([calls[n] for n in part], budget_s=budget_s), strict=True):
                found[n] = verdict

    with nullcontext(port.jails) if port.jails is not None else Jails() as jails:
        lanes = jails.lanes(len(calls), SOURCE, ("math_verify",), limits, WARM)
        try:
            with ThreadPoolExecutor(len(lanes)) as pool:
                list(pool.map(work, lanes, [range(lane, len(calls), len(lanes)) for lane in range(len(lanes))]))
        except Unsafe as error:
            return [Verdict(None, unscored=str(error))] * len(calls)
    return [one for one in found if one is not None]


def _outcome(call: _Call, told: Verdict) -> Outcome:
    if told.unscored is not None:
        return Outcome(None, Flagged("other_error", told.unscored).errors)
    if told.score is None:
        details = f"The comparison with “{quoted(call[1]['right'])}” failed: {told.error or 'it gave nothing back.'}"
        return Outcome(0.0, Flagged("other_error", details).errors)
    seen = json.loads(told.printed)
    if not seen["right"]:
        details = f"The reference “{quoted(call[1]['right'])}” holds no mathematics to compare with."
        return Outcome(0.0, Flagged("other_error", details).errors)
    return Outcome(told.score, evidence={"read": seen["read"] or None, "right": seen["right"]})
