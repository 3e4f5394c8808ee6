"""The reporter: beside a training process, outside of it. Ships its spool, renews the lease, brings back orders."""

import logging
import time
from collections import deque
from enum import Enum
from typing import Protocol

from contracts.event import (
    CheckpointSaved,
    Failed,
    Finished,
    LogLines,
    Metrics,
    Order,
    Phase,
    Report,
    Reports,
    RolloutsWritten,
    Stopped,
    WorkerEvent,
)
from contracts.fault import FaultReport
from trainer_worker.assignment import Assignment
from trainer_worker.client import AttemptPlatform, Refused, Unreachable
from trainer_worker.launching import LauncherDied, LauncherProcess, Training
from trainer_worker.machine import killed_for_memory
from trainer_worker.orders import Orders, write_orders
from trainer_worker.spool import SpoolReader, Tail
from trainer_worker.uploads import Uploads

log = logging.getLogger(__name__)

TICK_S = 0.1
HEARTBEAT_S = 1.0
GRACE_S = 5.0
BATCH = 500
LOG_BYTES_A_TICK = 16_384
RETRY_S = (0.5, 1.0, 2.0, 5.0)
LAST_WORDS_S = 600.0


class End(Enum):
    """How an attempt ended, as far as this worker is concerned."""

    REPORTED = "reported"
    REPLACED = "replaced"
    SILENT = "silent"
    """The platform could not be reached before the lease ran out."""


class Stopping(Protocol):
    def is_set(self) -> bool: ...


class Reporter:
    """One attempt, from its first report to its last."""

    def __init__(self, platform: AttemptPlatform, assignment: Assignment, lease_s: float) -> None:
        self._platform = platform
        self._assignment = assignment
        self._spool = SpoolReader(assignment.spool)
        self._log = Tail(assignment.log)
        self._uploads = Uploads(platform, assignment)
        self._outbox: deque[Report] = deque()
        self._seq = 0
        self._step = 0
        self._order: Order = "go_on"
        self._ordered_at = 0.0
        self._lease_until = time.monotonic() + lease_s
        self._next_try = 0.0
        self._failures = 0
        self._reported_at = time.monotonic()
        self._last_word: WorkerEvent | None = None
        self._killed_for_memory = killed_for_memory()

    def say(self, event: WorkerEvent) -> None:
        """Put an event of our own behind what the training process said so far."""
        self._seq += 1
        self._outbox.append(Report(seq=self._seq, at=time.time(), event=event))

    def open(self) -> None:
        """Before the training process starts: it looks at its orders before every step."""
        self._assignment.folder.mkdir(parents=True, exist_ok=True)
        self._write_orders()

    def attend(self, launcher: LauncherProcess, training: Training, stopping: Stopping) -> End:
        """Until the process has ended and all it left has been shipped."""
        try:
            while training.status is None:
                launcher.listen(TICK_S)
                self._tick()
                self._enforce(launcher, training, stopping)
        except LauncherDied:
            log.exception("the launcher died during %s", self._assignment.spec.job)
            training.status = -9
        self._collect_rest()
        if self._last_word is None:
            self._last_word = self._epitaph(training.status, stopping)
        return self.close(self._last_word, self._patience(stopping))

    def close(self, last_word: WorkerEvent, patience_s: float = LAST_WORDS_S) -> End:
        """Ship what is left, then the last word."""
        deadline = time.monotonic() + patience_s
        while self._uploads.pending and self._order != "replaced" and time.monotonic() < deadline:
            time.sleep(TICK_S / 2)
            self._tick()
        self._take_uploaded()
        if self._uploads.failed and isinstance(last_word, Finished):
            last_word = Failed(fault=self._uploads.failed)
        self._uploads.close()
        self.say(last_word)
        while self._outbox and self._order != "replaced" and time.monotonic() < deadline:
            if not self._ship():
                time.sleep(TICK_S)
        if self._order == "replaced":
            return End.REPLACED
        return End.SILENT if self._outbox else End.REPORTED

    def _tick(self) -> None:
        self._collect()
        self._take_uploaded()
        due = self._outbox or time.monotonic() - self._reported_at > HEARTBEAT_S
        if due:
            self._ship()

    def _collect(self) -> None:
        for event in self._spool.events():
            self._sort(event)
        if lines := self._log.lines(LOG_BYTES_A_TICK):
            text = b"\n".join(lines).decode(errors="replace").strip("\n")
            if text:
                self.say(LogLines(text=text))

    def _collect_rest(self) -> None:
        """All that the process left, of a log without end the next megabyte."""
        for _ in range(64):
            said = self._seq
            self._collect()
            if self._seq == said:
                return

    def _sort(self, event: WorkerEvent) -> None:
        match event:
            case CheckpointSaved() | RolloutsWritten():
                self._uploads.put(event)
            case Finished():
                self.say(Phase(name="uploading"))
                self._uploads.put(event)
                self._last_word = event
            case Failed():
                self._last_word = event
            case Metrics(step=step):
                self._step = step
                self.say(event)
            case _:
                self.say(event)

    def _take_uploaded(self) -> None:
        for event in self._uploads.finished():
            if not isinstance(event, Finished):
                self.say(event)

    def _ship(self) -> bool:
        """Send the oldest events; they leave the outbox once the platform has them. False: it was not reached."""
        if time.monotonic() < self._next_try:
            return False
        batch = [self._outbox[n] for n in range(min(BATCH, len(self._outbox)))]
        asked_at = time.monotonic()
        try:
            reply = self._platform.report(Reports(reports=tuple(batch)))
        except Unreachable as error:
            self._back_off(str(error))
            return False
        except Refused as error:
            log.error("a report of %s was refused: %s", self._assignment.spec.job, error)
            self._obey("replaced")
            return False
        for _ in batch:
            self._outbox.popleft()
        self._failures = 0
        self._reported_at = asked_at
        self._lease_until = asked_at + reply.lease_s
        self._obey(reply.order)
        return True

    def _back_off(self, why: str) -> None:
        wait = RETRY_S[min(self._failures, len(RETRY_S) - 1)]
        self._failures += 1
        self._next_try = time.monotonic() + wait
        log.warning("the platform was not reached (try %d): %s", self._failures, why)

    def _obey(self, order: Order) -> None:
        if order != self._order:
            log.info("order for %s: %s", self._assignment.spec.job, order)
            self._ordered_at = time.monotonic()
        self._order = order
        self._write_orders()

    def _write_orders(self) -> None:
        write_orders(self._assignment.orders, Orders(order=self._order, lease_until=self._lease_until))

    def _enforce(self, launcher: LauncherProcess, training: Training, stopping: Stopping) -> None:
        """Kill what does not obey in time. A pause gets the time that saving takes."""
        late = time.monotonic() - self._ordered_at > GRACE_S
        if self._order == "replaced" or (self._order == "cancel" and late) or stopping.is_set():
            launcher.kill(training)

    def _epitaph(self, status: int | None, stopping: Stopping) -> WorkerEvent:
        """What is to be said of a process that ended without a last word."""
        if self._order in ("cancel", "pause"):
            return Stopped(step=self._step)
        how = "the worker was told to stop" if stopping.is_set() else _how(status)
        memory_ran_out = status == -9 and killed_for_memory() > self._killed_for_memory
        code = "job.out_of_memory" if memory_ran_out else "job.process_died"
        return Failed(fault=FaultReport(code=code, params={"how": how}, evidence=log_end(self._assignment)))

    def _patience(self, stopping: Stopping) -> float:
        if stopping.is_set():
            return 2.0
        return GRACE_S if self._order == "cancel" else LAST_WORDS_S


def _how(status: int | None) -> str:
    if status == -9:
        return "signal 9: somebody killed it, or memory ran out"
    if status is not None and status < 0:
        return f"signal {-status}"
    return f"exit status {status}"


def log_end(assignment: Assignment, lines: int = 40, at_most: int = 6000) -> str | None:
    """The last lines that the training process printed."""
    if not assignment.log.exists():
        return None
    with assignment.log.open("rb") as file:
        file.seek(max(0, assignment.log.stat().st_size - at_most))
        text = file.read().decode(errors="replace")
    return "\n".join(text.splitlines()[-lines:]) or None
