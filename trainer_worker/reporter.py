"""The reporter: beside a training process, outside of it. Ships its spool, renews the lease, brings back orders."""

import logging
import time
from collections import deque
from enum import Enum

from contracts.event import (
    CheckpointSaved,
    Evaluated,
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
from trainer_worker import disk
from trainer_worker.assignment import Work
from trainer_worker.client import REPORT_TIMEOUT_S, AttemptPlatform, Refused, Unreachable
from trainer_worker.hang import HangWatch
from trainer_worker.launching import LauncherDied, LauncherProcess, Training
from trainer_worker.logs import PRINTED, JobLog
from trainer_worker.machine import killed_for_memory
from trainer_worker.needs import advice
from trainer_worker.orders import Orders, write_orders
from trainer_worker.shutdown import Shutdown
from trainer_worker.spool import SpoolReader, Tail
from trainer_worker.uploads import Uploads

TICK_S = 0.1
HEARTBEAT_S = 1.0
GRACE_S = 5.0
BATCH = 500
LOG_BYTES_A_TICK = 16_384
RETRY_S = (0.5, 1.0, 2.0, 5.0)
TRIES_WHEN_STOPPING = 4
NOT_OURS = (401, 403)
"""The token is good for nothing any more: the job is gone, or somebody else's."""
EVIDENCE_CHARACTERS = 4000
HURRIED_TIMEOUT_S = 3.0
LAST_WORD_S = 2.0
"""What the last word gets when a worker that is told to stop has used up its time."""


class End(Enum):
    """How an attempt ended, as far as this worker is concerned."""

    REPORTED = "reported"
    REPLACED = "replaced"
    SILENT = "silent"
    """The worker was told to stop, and the platform could not be reached."""


class Halted(Exception):
    """Ordered to end before the training began."""


class Reporter:
    """One attempt, from its first report to its last."""

    def __init__(
        self, platform: AttemptPlatform, assignment: Work, lease_s: float, shutdown: Shutdown, hang: HangWatch
    ) -> None:
        self._platform = platform
        self._assignment = assignment
        self._spool = SpoolReader(assignment.spool)
        self._printed = Tail(assignment.log)
        self._shutdown = shutdown
        self._hang = hang
        self._log = JobLog(logging.getLogger(__name__), assignment)
        self._training_log = JobLog(PRINTED, assignment)
        self._uploads = Uploads(platform, assignment)
        self._outbox: deque[Report] = deque()
        self._seq = 0
        self._step = assignment.from_step
        self._is_training = False
        self._is_draining = False
        self._order: Order = "go_on"
        self._ordered_at = 0.0
        self._lease_until = time.monotonic() + lease_s
        self._next_try = 0.0
        self._failures = 0
        self._reported_at = time.monotonic()
        self._last_word: WorkerEvent | None = None
        self._hung: FaultReport | None = None
        self.fault: FaultReport | None = None
        """Why the attempt failed, once it has."""
        self._at_most = BATCH
        self._is_refused = False
        self._killed_for_memory = killed_for_memory()

    def say(self, event: WorkerEvent) -> None:
        """Put an event of our own behind what the training process said so far."""
        if self._is_refused:
            return
        self._seq += 1
        self._outbox.append(Report(seq=self._seq, at=time.time(), event=event))

    def open(self) -> None:
        """Before the training process starts: it looks at its orders before every step."""
        self._assignment.folder.mkdir(parents=True, exist_ok=True)
        self._write_orders()

    def keep_alive(self) -> None:
        """Report between pieces of the work before the training. Raises Halted when that has become pointless."""
        self._ship_if_due()
        if self._order != "go_on" or self._shutdown.has_begun or self._is_refused:
            raise Halted

    def attend(self, launcher: LauncherProcess, training: Training) -> End:
        """Until the process has ended and all it left has been shipped."""
        try:
            while training.status is None:
                launcher.listen(TICK_S)
                self._tick()
                self._enforce(launcher, training)
        except LauncherDied as error:
            self._log.error("the launcher died: %s", error)
            training.status = -9
        except OSError as error:
            if not disk.is_full(error):
                raise
            self._last_word = Failed(fault=disk.full(self._assignment))
        finally:
            _bury(launcher, training)
        self._collect_rest()
        return self.close(self._last_word or self._epitaph(training.status))

    def close(self, last_word: WorkerEvent) -> End:
        """Ship what is left, then the last word; without a limit, as long as nobody wants the worker to stop."""
        while self._uploads.pending and not self._has_no_time_for_files:
            time.sleep(TICK_S / 2)
            self._tick()
        self._take_uploaded()
        last_word = self._truth(last_word)
        self.fault = last_word.fault if isinstance(last_word, Failed) else None
        self.say(last_word)
        self._uploads.close()
        while self._outbox and not self._has_no_time_for_words:
            if not self._ship():
                time.sleep(TICK_S)
        if self._order == "replaced":
            return End.REPLACED
        return End.SILENT if self._outbox else End.REPORTED

    @property
    def _has_no_time_for_files(self) -> bool:
        is_late = self._order == "cancel" and time.monotonic() - self._ordered_at > 2 * GRACE_S
        return is_late or self._is_refused or self._shutdown.is_overdue or self._has_no_time_for_words

    @property
    def _has_no_time_for_words(self) -> bool:
        gives_up = self._shutdown.has_begun and (
            self._failures >= TRIES_WHEN_STOPPING or self._shutdown.overdue_s > LAST_WORD_S
        )
        return gives_up or self._order == "replaced"

    def _truth(self, last_word: WorkerEvent) -> WorkerEvent:
        """A model counts once all its files are stored."""
        if isinstance(last_word, Finished) and self._uploads.failed:
            return Failed(fault=self._uploads.failed)
        if isinstance(last_word, Finished | Evaluated) and self._uploads.pending:
            return Stopped(step=self._step)
        return last_word

    def _tick(self) -> None:
        self._collect()
        self._take_uploaded()
        self._ship_if_due()
        if time.monotonic() > self._lease_until:
            self._hang.rest(time.monotonic())

    def _ship_if_due(self) -> None:
        if self._outbox or time.monotonic() - self._reported_at > HEARTBEAT_S:
            self._ship()

    def _collect(self) -> None:
        for event in self._spool.events():
            self._sort(event)
        if lines := self._printed.lines(LOG_BYTES_A_TICK):
            text = b"\n".join(lines).decode(errors="replace").strip("\n")
            if text:
                self._training_log.debug("%s", text)
                self.say(LogLines(text=text))

    def _collect_rest(self) -> None:
        """All that the process left, of a log without end the next megabyte."""
        for _ in range(64):
            said = self._seq
            self._collect()
            if self._seq == said:
                return

    def _sort(self, event: WorkerEvent) -> None:
        self._hang.hear(event, time.monotonic())
        match event:
            case CheckpointSaved() | RolloutsWritten():
                self._uploads.put(event)
            case Finished():
                self.say(Phase(name="uploading"))
                self._uploads.put(event)
                self._last_word = event
            case Failed() | Evaluated():
                self._last_word = event
            case Metrics(step=step):
                self._step = step
                self.say(event)
            case Phase(name="training" | "evaluating"):
                self._is_training = True
                self.say(event)
            case _:
                self.say(event)

    def _take_uploaded(self) -> None:
        for note in self._uploads.notes():
            self.say(note)
        for event in self._uploads.finished():
            if not isinstance(event, Finished):
                self.say(event)

    def _ship(self) -> bool:
        """Send the oldest events; they leave the outbox once the platform has them. False: it was not reached."""
        if time.monotonic() < self._next_try:
            return False
        batch = [self._outbox[n] for n in range(min(self._at_most, len(self._outbox)))]
        asked_at = time.monotonic()
        try:
            reply = self._platform.report(Reports(reports=tuple(batch), sent_at=time.time()), self._timeout_s)
        except Unreachable as error:
            self._back_off(str(error))
            return False
        except Refused as error:
            self._hear_no(error, batch)
            return False
        for _ in batch:
            self._outbox.popleft()
        self._at_most = min(BATCH, 2 * self._at_most)
        self._failures = 0
        self._reported_at = asked_at
        self._lease_until = asked_at + reply.lease_s
        self._obey(reply.order)
        return True

    def _hear_no(self, error: Refused, batch: list[Report]) -> None:
        """Of a batch that is refused, find the event that is meant, and end the attempt with it."""
        self._log.error("a report was refused: %s", error)
        if error.status in NOT_OURS or self._is_refused:  # not even that we end is heard: the lease ends it for us
            self._obey("replaced")
        elif len(batch) > 1:
            self._at_most = len(batch) // 2
        else:
            self._give_up(error, batch)

    def _give_up(self, error: Refused, batch: list[Report]) -> None:
        """Nothing that comes after a gap may be told, but that and why the attempt ends."""
        params = {"detail": f"{error.said} ({error.status})"}
        evidence = batch[0].model_dump_json()[:EVIDENCE_CHARACTERS] if batch else None
        self._outbox.clear()
        self.say(Failed(fault=FaultReport(code="job.report_refused", params=params, evidence=evidence)))
        self._is_refused = True

    def _back_off(self, why: str) -> None:
        wait = RETRY_S[min(self._failures, len(RETRY_S) - 1)]
        self._failures += 1
        self._next_try = time.monotonic() + wait
        self._log.warning("the platform was not reached (try %d): %s", self._failures, why)

    @property
    def _timeout_s(self) -> float:
        return HURRIED_TIMEOUT_S if self._shutdown.has_begun else REPORT_TIMEOUT_S

    def _obey(self, order: Order) -> None:
        if order != self._order:
            self._log.info("order: %s", order)
            self._ordered_at = time.monotonic()
        self._order = order
        self._write_orders()

    def _write_orders(self) -> None:
        word = "drain" if self._is_draining and self._order == "go_on" else self._order
        orders = Orders.model_validate({"order": word, "lease_until": self._lease_until})
        write_orders(self._assignment.orders, orders)

    def _enforce(self, launcher: LauncherProcess, training: Training) -> None:
        """Pass on that the worker is to stop, and kill what does not obey, or does not move."""
        if self._shutdown.has_begun and not self._is_draining:
            self._log.info("told to stop after step %d", self._step)
            self._is_draining = True
            self._write_orders()
        self._hung = self._hung or self._hang.verdict(time.monotonic())
        if self._is_to_be_killed:
            launcher.kill(training)

    @property
    def _is_to_be_killed(self) -> bool:
        is_late = time.monotonic() - self._ordered_at > GRACE_S
        is_out_of_time = self._shutdown.has_begun and (self._shutdown.is_overdue or not self._is_training)
        is_lost = self._hung is not None or self._uploads.failed is not None or self._is_refused
        return self._order == "replaced" or (self._order == "cancel" and is_late) or is_out_of_time or is_lost

    def _epitaph(self, status: int | None) -> WorkerEvent:
        """What is to be said of a process that ended without a last word."""
        if self._order in ("cancel", "pause"):
            return Stopped(step=self._step)
        if self._uploads.failed:
            return Failed(fault=self._uploads.failed)
        if self._shutdown.has_begun:
            return Stopped(step=self._step)
        if self._hung:
            return Failed(fault=self._hung.model_copy(update={"evidence": log_end(self._assignment)}))
        if status == disk.EXIT_STATUS:
            return Failed(fault=disk.full(self._assignment))
        memory_ran_out = status == -9 and killed_for_memory() > self._killed_for_memory
        code, params = "job.process_died", {"how": _how(status)}
        if memory_ran_out:
            code, params = "job.out_of_memory", params | {"smaller": advice(self._assignment)}
        return Failed(fault=FaultReport(code=code, params=dict(params), evidence=log_end(self._assignment)))


def _bury(launcher: LauncherProcess, training: Training) -> None:
    """Nothing trains once nobody attends to it."""
    while training.status is None:
        launcher.kill(training)
        launcher.listen(TICK_S)


def _how(status: int | None) -> str:
    if status == -9:
        return "signal 9: somebody killed it, or memory ran out"
    if status is not None and status < 0:
        return f"signal {-status}"
    return f"exit status {status}"


def log_end(assignment: Work, lines: int = 40, at_most: int = 6000) -> str | None:
    """The last lines that the training process printed."""
    if not assignment.log.exists():
        return None
    with assignment.log.open("rb") as file:
        file.seek(max(0, assignment.log.stat().st_size - at_most))
        text = file.read().decode(errors="replace")
    return "\n".join(text.splitlines()[-lines:]) or None
