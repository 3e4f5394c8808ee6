"""The grader that runs the model's code against tests.

Each test has a process of its own in a jail. What the code gives back or prints is compared out here, and what is
expected never goes in: code cannot claim to be right. A test that is more than a call and its result (a script, an
`assert` without `==` and a plain value) is decided beside the code, which could cheat there if it set out to.
"""

import ast
import json
import math
import re
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from typing import NamedTuple

from pydantic import JsonValue

from graders.port import Port
from graders.receipt import Batch, Flagged, Item, Outcome, Sample
from graders.sandbox import Jail, Jails, Limits, Unsafe, Verdict
from graders.schema import CodeTests
from graders.template import compile_template

RUNNER = """
import io, sys

def grade(code, test):
    printed = sys.stdout
    sys.stdin = io.TextIOWrapper(io.BytesIO((test.get("stdin") or "").encode()))
    sys.stdout = io.TextIOWrapper(io.BytesIO(), write_through=True)
    names = {"__name__": "__main__"}
    try:
        exec(compile(code, "answer.py", "exec"), names)
    except SystemExit:
        pass
    if "call" in test:
        printed.write(repr(eval(test["call"], names)))
    elif "stdin" in test:
        printed.write(sys.stdout.buffer.getvalue().decode("utf-8", "replace"))
    else:
        exec(compile(test["script"], "tests.py", "exec"), names)
    return 1
"""
SHOWN = 16_000
"""Characters of a result that are compared: one that is longer is wrong."""
MAX_TESTS = 200
_BLOCK = re.compile(r"^```([^\n`]*)\n(.*?)^```", re.DOTALL | re.MULTILINE)
_PYTHON = ("python", "py", "python3", "")


class Check(NamedTuple):
    """One thing that the code must do."""

    shown: str
    asked: dict[str, str]
    """What goes into the jail."""
    is_right: Callable[[str], bool]
    """Of what was printed there."""


def code_tests(grader: CodeTests) -> Batch:
    """The share of tests that pass, or 1 for all. Code that cannot be read, fails or takes too long passes none.

    *Not scored*: no jail on this machine. Tests that nobody can read are 0 with other_error.
    """
    text, tests = compile_template(grader.input), compile_template(grader.tests)
    limits = Limits(timeout_s=grader.timeout_s, memory_mb=grader.memory_mb)

    def outcome(jail: Jail, sample: Sample, item: Item) -> Outcome:
        try:
            wanted, code = read_tests(tests(sample, item)), code_in(text(sample, item))
            calls = [(code, test.asked) for test in wanted]
            told = jail.run(calls, is_shared=False, budget_s=2 * grader.timeout_s, shown=SHOWN + 1)
            return _outcome(grader, wanted, told)
        except Flagged as problem:
            return Outcome(0.0, problem.errors)
        except Unsafe as error:
            return Outcome(None, Flagged("python_grader_server_error", str(error)).errors)

    def batch(samples: Sequence[Sample], items: Sequence[Item], port: Port) -> list[Outcome]:
        found: list[Outcome | None] = [None] * len(samples)

        def work(jail: Jail, numbers: range) -> None:
            for n in numbers:
                found[n] = outcome(jail, samples[n], items[n])

        with nullcontext(port.jails) if port.jails is not None else Jails() as jails:
            lanes = jails.lanes(len(samples), RUNNER, ("io",), limits)
            with ThreadPoolExecutor(len(lanes)) as pool:
                mine = [range(lane, len(samples), len(lanes)) for lane in range(len(lanes))]
                list(pool.map(work, lanes, mine))
        return [one for one in found if one is not None]

    return batch


def code_in(text: str) -> str:
    """The last fenced block that is Python or says nothing, or the whole text."""
    blocks = [body for language, body in _BLOCK.findall(text) if language.strip().lower() in _PYTHON]
    return blocks[-1] if blocks else text


def read_tests(written: str) -> list[Check]:
    """Raises Flagged for what is no test."""
    try:
        found = json.loads(written)
    except (ValueError, RecursionError):
        found = written
    listed = found if isinstance(found, list) else [found]
    if not listed or len(listed) > MAX_TESTS:
        raise Flagged("other_error", f"There are {len(listed)} tests: give 1 to {MAX_TESTS}.")
    return [_test(one) for one in listed]


def _test(one: object) -> Check:
    match one:
        case {"call": str(call), "expected": expected}:
            return Check(call, {"call": call}, lambda told: _is_value(told, expected))
        case {"stdin": str(stdin), "stdout": str(stdout)}:
            return Check(f"stdin {stdin[:40]!r}", {"stdin": stdin}, lambda told: _lines(told) == _lines(stdout))
        case str(script) if script.strip():
            return _split_assert(script) or Check(script.strip()[:80], {"script": script}, lambda told: True)
        case _:
            details = "A test is an assert or a script, an object with call and expected, or one with stdin and stdout."
            raise Flagged("other_error", details)


def _split_assert(script: str) -> Check | None:
    """`assert f(2) == 4` as a call and what it must give, so that only the call goes into the jail."""
    try:
        match ast.parse(script.strip()).body:
            case [ast.Assert(test=ast.Compare(left=left, ops=[ast.Eq()], comparators=[right]))]:
                expected = ast.literal_eval(right)
                return Check(script.strip()[:80], {"call": ast.unparse(left)}, lambda told: _is_value(told, expected))
    except (SyntaxError, ValueError, TypeError, RecursionError, MemoryError):
        pass
    return None


def _is_value(told: str, expected: object) -> bool:
    try:
        return len(told) <= SHOWN and _equal(ast.literal_eval(told), expected)
    except (SyntaxError, ValueError, TypeError, RecursionError, MemoryError):
        return False


def _equal(left: object, right: object) -> bool:
    """As Python has it, but a tuple may be a list (JSON has none), and the last digits of floats may differ."""
    if isinstance(left, float | int) and isinstance(right, float | int):
        return left == right or math.isclose(left, right, rel_tol=1e-9, abs_tol=1e-12)
    if isinstance(left, list | tuple) and isinstance(right, list | tuple):
        return len(left) == len(right) and all(map(_equal, left, right))
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(_equal(left[key], right[key]) for key in left)
    return left == right


def _lines(text: str) -> list[str]:
    """What a judge of programs compares: lines without the spaces at their ends, and no empty ones at the end."""
    return [line.rstrip() for line in text.rstrip().split("\n")]


def _outcome(grader: CodeTests, tests: list[Check], told: list[Verdict]) -> Outcome:
    if (
        lost := next((one.unscored for one in told if one.unscored and "no time" not in one.unscored), None)
    ) is not None:
        return Outcome(None, Flagged("python_grader_server_error", lost).errors)
    passed = [one.score == 1 and test.is_right(one.printed) for test, one in zip(tests, told, strict=True)]
    share = sum(passed) / len(passed)
    failed: list[JsonValue] = [
        {"test": test.shown, "got": (one.error or one.unscored or one.printed)[-300:]}
        for test, one, is_right in zip(tests, told, passed, strict=True)
        if not is_right
    ]
    score = share if grader.score == "share" else float(share == 1)
    return Outcome(score, evidence={"passed": sum(passed), "tests": len(passed), "failed": failed[:5]})
