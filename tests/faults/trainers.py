"""Who trains what: training processes as the kernel lists them, and a watch for two of one job."""

import os
import re
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

LOOK_S = 0.05
METRICS = re.compile(rb'"type":"metrics","step":(\d+)')


@dataclass(frozen=True)
class Trainer:
    """A training process. Its printed words go into the folder of its attempt, which is how it is known."""

    pid: int
    worker: str
    job: str
    attempt: int
    folder: Path

    def steps_told(self) -> list[int]:
        """What it has said so far, whether or not it was shipped."""
        try:
            said = (self.folder / "spool.jsonl").read_bytes()
        except OSError:
            return []
        return [int(step) for step in METRICS.findall(said)]


def trainers(scratch: Path) -> list[Trainer]:
    """All that live, of all workers whose scratch folders lie below this one."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal() and (log := _log_below(scratch, int(entry.name))):
            worker, _jobs, job, attempt, _name = log.relative_to(scratch).parts
            found.append(Trainer(int(entry.name), worker, job, int(attempt), log.parent))
    return found


def _log_below(scratch: Path, pid: int) -> Path | None:
    try:
        output = os.readlink(f"/proc/{pid}/fd/1").removesuffix(" (deleted)")
    except OSError:
        return None
    inside = output.startswith(f"{scratch}/") and output.endswith("/log.txt") and "/jobs/" in output
    return Path(output) if inside else None


@dataclass
class Watch:
    """Looks every 50 ms. Two processes of one job overlap once the elder trains beside the younger.

    An elder that waits at a step's beginning does no harm and is meant to wait. The step that it was in when it was
    cut off (or stopped) may end beside the younger; a second one may not.
    """

    scratch: Path
    overlaps: int = 0
    looks: int = 0
    _told: dict[int, int] = field(default_factory=dict)
    _over: threading.Event = field(default_factory=threading.Event)

    def look(self) -> None:
        self.looks += 1
        of_job: dict[str, list[Trainer]] = defaultdict(list)
        for trainer in trainers(self.scratch):
            of_job[trainer.job].append(trainer)
        for together in of_job.values():
            elders = sorted(together, key=lambda one: one.attempt)[:-1]
            self.overlaps += any(self._trains(elder) for elder in elders)

    def _trains(self, elder: Trainer) -> bool:
        told = len(elder.steps_told())
        return told > self._told.setdefault(elder.pid, told) + 1

    def run(self) -> None:
        while not self._over.wait(LOOK_S):
            self.look()

    def end(self) -> None:
        self._over.set()


@contextmanager
def watching(scratch: Path) -> Iterator[Watch]:
    watch = Watch(scratch)
    thread = threading.Thread(target=watch.run, daemon=True)
    thread.start()
    try:
        yield watch
    finally:
        watch.end()
        thread.join(5)


def gone(pid: int, patience_s: float = 10) -> bool:
    """Whether the process ends within the time."""
    give_up = time.monotonic() + patience_s
    while Path(f"/proc/{pid}").exists():
        if time.monotonic() > give_up:
            return False
        time.sleep(0.02)
    return True
