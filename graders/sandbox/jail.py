"""The side of a jail that stays outside: it starts the program, hands it batches and gives up on it when it must."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, NamedTuple, Self

from graders.sandbox.inside.framing import Message, receive, send
from graders.sandbox.walls import Walls, walls

START_S = 30.0
GRACE_S = 10.0
"""How much longer than a batch may take an answer is waited for."""


@dataclass(frozen=True)
class Limits:
    """What code may use. Times are of one call, and a batch has five times that."""

    timeout_s: float = 30.0
    memory_mb: int = 2048
    """Address space, libraries included."""
    scratch_mb: int = 64

    @property
    def budget_s(self) -> float:
        return 5 * self.timeout_s

    @property
    def of_process(self) -> dict[str, int]:
        """By the names of `resource`."""
        return {
            "RLIMIT_CPU": int(self.budget_s) + 2,
            "RLIMIT_AS": self.memory_mb * 1024**2,
            "RLIMIT_FSIZE": self.scratch_mb * 1024**2,
            "RLIMIT_NOFILE": 64,
            "RLIMIT_CORE": 0,
        }


class Verdict(NamedTuple):
    """What came of one call."""

    score: float | None
    error: str | None = None
    """Of the code: its traceback, or how it ended."""
    unscored: str | None = None
    """Not the code's fault: why there is no score."""
    printed: str = ""
    is_late: bool = False
    """There was no time left for it: the calls before took it all."""


Call = tuple[object, object]
"""A sample and an item, as JSON."""


class Jail:
    """A process behind walls that is warm for one piece of code, and forks for each batch.

    Started when it is first needed, and anew when it was lost. For one thread at a time.
    """

    def __init__(
        self,
        source: str,
        preload: Sequence[str] = (),
        limits: Limits = Limits(),
        behind: Walls | None = None,
        warm: str = "",
    ) -> None:
        """preload: packages that are imported once. warm: code of our own that runs once after that, before any fork;
        it runs without the filter of system calls, so nobody else's may stand there.
        """
        self._warm = warm
        self._source = source
        self._preload = preload
        self._limits = limits
        self._behind = behind
        self._process: subprocess.Popen[bytes] | None = None
        self._scratch: Path | None = None

    def run(
        self,
        calls: Sequence[Call],
        *,
        is_shared: bool = True,
        source: str | None = None,
        budget_s: float | None = None,
        shown: int = 2000,
    ) -> list[Verdict]:
        """A verdict for each call, in their order.

        is_shared: all in one process, as long as it lives. source: other code than the jail was made for.
        budget_s: what all calls may take. shown: characters of what each prints that are kept.

        Raises:
            Unsafe: code cannot be held back here.
        """
        budget_s = budget_s or self._limits.budget_s
        asked: Message = {
            "calls": list(calls),
            "source": source,
            "is_shared": is_shared,
            "shown": shown,
            "timeout_s": self._limits.timeout_s,
            "budget_s": budget_s,
        }
        try:
            answer = self._ask(asked, budget_s + self._limits.timeout_s + GRACE_S)
        except OSError as error:
            self.close()
            return [Verdict(None, unscored=f"The jail was lost: {error}.")] * len(calls)
        except BaseException:
            self.close()
            raise
        verdicts = answer["verdicts"]
        assert isinstance(verdicts, list)
        return [
            Verdict(told.get("score"), told.get("error"), told.get("unscored"), told.get("printed", ""), "late" in told)
            for told in verdicts
        ]

    def start(self) -> None:
        """Make it warm. Raises Unsafe, or OSError when it does not come up."""
        self._behind = self._behind or walls()
        # Where bubblewrap gives a scratch of its own, this folder is only the place it has inside.
        self._scratch = Path(tempfile.mkdtemp(prefix="whetstone-jail-"))
        self._scratch.chmod(0o1777)
        with tempfile.TemporaryFile() as complaints:
            self._process = subprocess.Popen(
                self._behind.command(self._scratch, self._limits.scratch_mb),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=complaints,
                env={},
                cwd="/",
                start_new_session=True,
            )
            setup = self._behind.setup(self._scratch, self._limits.scratch_mb)
            setup |= {"source": self._source, "preload": list(self._preload), "warm": self._warm}
            setup["limits"] = self._limits.of_process
            try:
                answer = self._exchange(setup, START_S)
            except OSError as error:
                raise OSError(f"{error}: {_end_of(complaints)}") from None
        if "refused" in answer:
            raise OSError(f"no walls: {answer['refused']}")

    def close(self) -> None:
        """End it, and everything in it."""
        process, self._process = self._process, None
        if process is not None:
            _kill(process)
            process.wait()
            for pipe in (process.stdin, process.stdout):
                with contextlib.suppress(OSError):
                    pipe.close()  # type: ignore[union-attr]  # both were asked for
        if self._scratch is not None:
            shutil.rmtree(self._scratch, ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _ask(self, message: Message, patience_s: float) -> Message:
        if self._process is None:
            self.start()
        return self._exchange(message, patience_s)

    def _exchange(self, message: Message, patience_s: float) -> Message:
        """Raises OSError when the other side is gone or silent."""
        process = self._process
        if process is None or process.stdin is None or process.stdout is None:
            raise OSError("it never began")
        give_up = threading.Timer(patience_s, _kill, (process,))
        give_up.daemon = True
        give_up.start()
        try:
            send(process.stdin.fileno(), message)
            answer = receive(process.stdout.fileno())
        finally:
            give_up.cancel()
        if answer is None:
            raise OSError("it ended")
        return answer


LANES = max(1, min(8, len(os.sched_getaffinity(0)) if sys.platform == "linux" else 1))
"""How many jails work at the same time where calls are slow: one a processor."""


class Jails:
    """Warm jails of one owner, for each piece of code one or more: those used longest ago make room."""

    def __init__(self, most: int = 2 * LANES + 2) -> None:
        self._most = most
        self._warm: OrderedDict[tuple[object, ...], Jail] = OrderedDict()

    def lanes(
        self, count: int, source: str, preload: Sequence[str] = (), limits: Limits = Limits(), warm: str = ""
    ) -> list[Jail]:
        """Jails for the same code, to be used at the same time: at most as many as there are calls."""
        return [self.of(source, preload, limits, lane, warm) for lane in range(max(1, min(LANES, count)))]

    def of(
        self, source: str, preload: Sequence[str] = (), limits: Limits = Limits(), lane: int = 0, warm: str = ""
    ) -> Jail:
        key = (source, tuple(preload), limits, lane, warm)
        if key not in self._warm:
            while len(self._warm) >= self._most:
                self._warm.popitem(last=False)[1].close()
            self._warm[key] = Jail(source, preload, limits, warm=warm)
        self._warm.move_to_end(key)
        return self._warm[key]

    def __len__(self) -> int:
        return len(self._warm)

    def close(self) -> None:
        while self._warm:
            self._warm.popitem()[1].close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


def _kill(process: subprocess.Popen[bytes]) -> None:
    """With all that it started: it leads a session of its own."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def _end_of(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read()[-500:].decode("utf-8", "replace").strip()
