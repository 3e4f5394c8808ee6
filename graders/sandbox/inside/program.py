"""The program in the jail. It puts up its walls, loads what the grader imports, and forks a process a batch.

Started with a pipe on 0 and on 1. It ends when the pipe on 0 does, so that it never outlives who started it.
"""

import gc
import importlib
import json
import math
import os
import select
import shutil
import signal
import sys
import time
from typing import Any

from . import identity, landlock
from .framing import receive, send
from .work import work

TICK_S = 0.1
LONGEST_LINE = 256 * 1024


class Batch:
    """Calls on their way: a verdict for each, and how long the rest may take."""

    def __init__(self, setup: dict[str, Any], request: dict[str, Any]) -> None:
        self.setup = setup
        self.source: str = setup["source"] if request.get("source") is None else request["source"]
        self.calls: list[list[Any]] = request["calls"]
        self.is_shared: bool = request["is_shared"]
        self.shown: int = request["shown"]
        self.timeout_s: float = request["timeout_s"]
        self.ends_at = time.monotonic() + request["budget_s"]
        self.verdicts: list[dict[str, object]] = []

    def run(self, requests: int, answers: int) -> None:
        """Forks until every call has its verdict."""
        while len(self.verdicts) < len(self.calls):
            if time.monotonic() >= self.ends_at:
                self._rest({"unscored": "The batch had no time left for this one.", "late": True})
                return
            first = len(self.verdicts)
            last = len(self.calls) if self.is_shared else first + 1
            results, end = os.pipe()
            pid = os.fork()
            if pid == 0:
                others = [requests, answers, results]
                work(self.source, self.calls[first:last], self.setup["limits"], self.shown, end, others)
            os.close(end)
            try:
                self._watch(pid, results, last, requests)
            finally:
                os.close(results)

    def _watch(self, pid: int, results: int, last: int, requests: int) -> None:
        """Until the process has told a verdict for each of its calls, or must be ended."""
        buffer, due = b"", time.monotonic() + self.timeout_s
        poll = select.poll()
        poll.register(results, select.POLLIN)
        poll.register(requests, 0)  # its end alone
        problem = ""
        while len(self.verdicts) < last and not problem:
            for fd, _ in poll.poll(TICK_S * 1000):
                if fd == requests:
                    os._exit(0)  # and with this process the one that it watches: it is its child's only reader
                if not (data := os.read(results, 65536)):
                    problem = "ended"
                    break
                *lines, buffer = (buffer + data).split(b"\n")
                for line in lines[: last - len(self.verdicts)]:
                    self._hear(line)
                    due = time.monotonic() + self.timeout_s
                if len(buffer) > LONGEST_LINE:
                    problem = "It wrote into its own result."
            if time.monotonic() >= due:
                problem = problem or f"It did not finish within {self.timeout_s:g} s."
            if self.setup["scratch_bytes"] and _size(self.setup["scratch"]) > self.setup["scratch_bytes"]:
                problem = problem or "It wrote more files than it may."
        os.kill(pid, signal.SIGKILL)
        _, status = os.waitpid(pid, 0)
        if len(self.verdicts) < last:
            self.verdicts.append({"error": _how_it_ended(status) if problem == "ended" else problem})

    def _hear(self, line: bytes) -> None:
        try:
            told = json.loads(line)
            if isinstance(told.get("broken"), str):
                self._rest({"error": told["broken"]})
            else:
                self.verdicts.append(_checked(told))
        except (ValueError, AttributeError, RecursionError):
            self.verdicts.append({"error": "It wrote into its own result."})

    def _rest(self, verdict: dict[str, object]) -> None:
        self.verdicts += [verdict] * (len(self.calls) - len(self.verdicts))


def _checked(told: dict[str, Any]) -> dict[str, object]:
    score, printed = told.get("score"), told.get("printed")
    found: dict[str, object] = {"printed": printed} if isinstance(printed, str) else {}
    if isinstance(score, float) and math.isfinite(score):
        return found | {"score": score}
    error = told.get("error")
    return found | {"error": error if isinstance(error, str) else "It wrote into its own result."}


def _how_it_ended(status: int) -> str:
    if not os.WIFSIGNALED(status):
        return "It ended its own process."
    number = os.WTERMSIG(status)
    if number == signal.SIGXCPU:
        return "It used more processor time than it may."
    return f"Its process was ended by {signal.Signals(number).name}."


def _size(folder: str) -> int:
    """Bytes below the folder, each file and folder for at least 4 kB."""
    total = 0
    for where, folders, files in os.walk(folder):
        for name in (*folders, *files):
            try:
                total += max(4096, os.lstat(os.path.join(where, name)).st_blocks * 512)
            except OSError:
                pass
    return total


def _empty(folder: str) -> None:
    for entry in os.scandir(folder):
        if entry.is_dir(follow_symlinks=False):
            shutil.rmtree(entry.path, ignore_errors=True)
        else:
            os.unlink(entry.path)


def _put_up_walls(setup: dict[str, Any]) -> None:
    os.environ.clear()
    os.environ.update(setup["environment"])
    identity.become(setup["user"])
    if setup["landlock"]:
        landlock.confine(setup["readable"], [setup["scratch"], os.devnull])
    os.chdir(setup["scratch"])
    sys.path += setup["packages"]
    for name in setup["preload"]:
        try:
            importlib.import_module(name)
        except Exception:
            continue  # the grader's own import will say it
    exec(setup["warm"], {})


def main() -> None:
    requests, answers = os.dup(0), os.dup(1)
    setup = receive(requests)
    if setup is None:
        return
    try:
        _put_up_walls(setup)
    except OSError as error:
        send(answers, {"refused": f"{error}"})
        return
    gc.collect()
    gc.freeze()
    send(answers, {"ready": True})
    while request := receive(requests):
        batch = Batch(setup, request)
        batch.run(requests, answers)
        _empty(str(setup["scratch"]))
        send(answers, {"verdicts": batch.verdicts})
