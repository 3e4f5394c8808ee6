"""The process that runs the grader's code: one fork for a batch, or for each sample. It ends with `os._exit`."""

import io
import json
import linecache
import math
import numbers
import os
import resource
import sys
import traceback
from collections.abc import Callable
from typing import Any, NoReturn

from . import seccomp

FILE, ANSWER = "grader.py", "answer.py"
"""How the grader's own source is called in a traceback, and the code that it executes, where that is its work."""
_SHOWN = 2000
"""Characters of a traceback that are told."""


class Printed(io.TextIOBase):
    """What a grader prints: its beginning, whatever the length."""

    def __init__(self, most: int) -> None:
        self.text = ""
        self._most = most

    def write(self, text: str) -> int:
        if len(self.text) < self._most:
            self.text += text[: self._most - len(self.text)]
        return len(text)

    def writable(self) -> bool:
        return True


def work(
    source: str, calls: list[list[Any]], limits: dict[str, int], shown: int, results: int, others: list[int]
) -> NoReturn:
    """Grade these calls and write a line of JSON for each: a score or an error, and what was printed, up to `shown`
    characters of it. `others` are descriptors that the code must not have.
    """
    try:
        printed = Printed(shown)
        _close_doors(limits, others, printed)
        _run(source, calls, results, printed)
    finally:
        os._exit(0)


def _close_doors(limits: dict[str, int], others: list[int], printed: Printed) -> None:
    null = os.open(os.devnull, os.O_RDWR)
    for fd in (0, 1, 2):
        os.dup2(null, fd)
    for fd in (null, *others):
        os.close(fd)
    for name, most in limits.items():
        resource.setrlimit(getattr(resource, name), (most, most))
    sys.stdin = io.StringIO()
    sys.stdout = sys.stderr = printed
    seccomp.confine()


def _run(source: str, calls: list[list[Any]], results: int, printed: Printed) -> None:
    try:
        grade = _load(source)
    except BaseException as error:
        _tell(results, {"broken": _shown(error)})
        return
    for sample, item in calls:
        printed.text = ""
        try:
            told: dict[str, object] = {"score": _score(grade(sample, item))}
        except BaseException as error:
            told = {"error": _shown(error)}
        _tell(results, told | ({"printed": printed.text} if printed.text else {}))


def _load(source: str) -> Callable[[Any, Any], object]:
    lines = source.splitlines(keepends=True)
    linecache.cache[FILE] = (len(source), None, lines, FILE)
    names: dict[str, Any] = {"__name__": "grader", "__builtins__": __builtins__}
    exec(compile(source, FILE, "exec"), names)
    found = names.get("grade")
    if not callable(found):
        raise TypeError("The source defines no function grade(sample, item)")
    return found  # type: ignore[no-any-return]  # whatever it gives back is looked at


def _score(value: object) -> float:
    if not isinstance(value, numbers.Real):
        raise TypeError(f"grade gave {type(value).__name__}, not a number")
    score = float(value)
    if not math.isfinite(score):
        raise ValueError(f"grade gave {score}, which is no score")
    return score


def _shown(error: BaseException) -> str:
    """The traceback through the code's own lines, its end if it is long."""
    try:
        found = traceback.TracebackException.from_exception(error)
        frames = {name: [frame for frame in found.stack if frame.filename == name] for name in (ANSWER, FILE)}
        is_answers = frames[ANSWER] or getattr(error, "filename", None) == ANSWER
        found.stack = traceback.StackSummary.from_list(frames[ANSWER if is_answers else FILE])
        return "".join(found.format(chain=False))[-_SHOWN:].strip()
    except BaseException:
        return type(error).__name__


def _tell(results: int, message: dict[str, object]) -> None:
    line = json.dumps(message).encode("utf-8", "replace") + b"\n"
    while line:
        line = line[os.write(results, line) :]
