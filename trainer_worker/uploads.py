"""Files leave the machine in a thread of their own, in the order in which they were named."""

import logging
import queue
import shutil
import threading
import time
from pathlib import Path

from contracts.event import CheckpointSaved, Finished, LogLines, RolloutsWritten
from contracts.fault import FaultReport
from contracts.job import FileRef
from trainer_worker import disk
from trainer_worker.assignment import Work
from trainer_worker.cache import inside
from trainer_worker.client import AttemptPlatform, Full, Refused, Unreachable
from trainer_worker.logs import JobLog

WithFiles = CheckpointSaved | RolloutsWritten | Finished
RETRY_S = 2.0
RETRY_WHEN_FULL_S = (2.0, 5.0, 10.0, 30.0)
PATIENCE_WITH_A_FULL_DISK_S = 3600.0
"""How long a file waits for room at the platform. The training goes on meanwhile."""


class NoRoom(Exception):
    """The platform's disk was full for too long."""


class Uploads:
    """Events whose files are still on their way. What comes out of `finished` may be reported."""

    def __init__(
        self, platform: AttemptPlatform, assignment: Work, patience_s: float = PATIENCE_WITH_A_FULL_DISK_S
    ) -> None:
        self._patience_s = patience_s
        self._full_since: float | None = None
        self._notes: queue.Queue[LogLines] = queue.Queue()
        self._platform = platform
        self._assignment = assignment
        self._waiting: queue.Queue[WithFiles | None] = queue.Queue()
        self._done: queue.Queue[WithFiles | None] = queue.Queue()
        """None stands for rollouts that could not be stored: a job does not fail for them."""
        self._open = 0
        self._closed = threading.Event()
        self._log = JobLog(logging.getLogger(__name__), assignment)
        self.failed: FaultReport | None = None
        self._thread = threading.Thread(target=self._work, name="uploads", daemon=True)
        self._thread.start()

    @property
    def pending(self) -> bool:
        return self._open > 0

    def put(self, event: WithFiles) -> None:
        self._open += 1
        self._waiting.put(event)

    def finished(self) -> list[WithFiles]:
        events = []
        while not self._done.empty():
            events.append(self._done.get())
            self._open -= 1
        return [event for event in events if event is not None] if self.failed is None else []

    def notes(self) -> list[LogLines]:
        """What the job should say of uploads that wait."""
        return [self._notes.get() for _ in range(self._notes.qsize())]

    def close(self) -> None:
        """Give up what has not been sent."""
        self._closed.set()
        self._waiting.put(None)

    def _work(self) -> None:
        while (event := self._waiting.get()) is not None and not self._closed.is_set():
            if self.failed is not None:
                self._done.put(None)  # nothing is stored behind a gap
                continue
            try:
                self._send(event)
                self._done.put(event)
            except (Refused, NoRoom, OSError, ValueError) as error:
                self._log.error("files of a %s could not be stored: %s", event.type, error)
                self._fail(event, error)
                self._done.put(None)

    def _fail(self, event: WithFiles, error: Exception) -> None:
        if isinstance(event, RolloutsWritten):
            return
        if isinstance(error, NoRoom):
            self.failed = FaultReport(code="platform.disk_full", evidence=str(error))
        elif disk.is_full(error):
            self.failed = disk.full(self._assignment)
        else:
            self.failed = FaultReport(code="job.training_failed", params={"detail": f"storing files: {error}"})

    def _send(self, event: WithFiles) -> None:
        folder, refs = self._files(event)
        for ref in refs:
            self._send_file(ref, inside(folder, ref.path))
        if isinstance(event, CheckpointSaved):
            shutil.rmtree(folder)

    def _files(self, event: WithFiles) -> tuple[Path, tuple[FileRef, ...]]:
        match event:
            case CheckpointSaved():
                return self._assignment.checkpoint(event.step), event.files
            case RolloutsWritten():
                return self._assignment.rollouts, (event.file,)
            case Finished():
                return self._assignment.final_model, event.files

    def _send_file(self, ref: FileRef, file: Path) -> None:
        tries = 0
        while not self._closed.is_set():
            try:
                self._platform.upload(ref, file)
            except Full as error:
                self._wait_for_room(ref, error, RETRY_WHEN_FULL_S[min(tries, len(RETRY_WHEN_FULL_S) - 1)])
                tries += 1
            except Unreachable as error:
                self._log.warning("%s will be sent again: %s", ref.path, error)
                self._closed.wait(RETRY_S)
            else:
                return self._has_room()

    def _wait_for_room(self, ref: FileRef, error: Full, wait_s: float) -> None:
        """Raises NoRoom when it was waited for long enough."""
        self._log.warning("%s waits for room: %s", ref.path, error)
        now = time.monotonic()
        if self._full_since is None:
            self._full_since = now
            self._notes.put(LogLines(text=f"The platform's disk is full. {ref.path} waits until there is room."))
        elif now - self._full_since > self._patience_s:
            raise NoRoom(f"{ref.path} waited {(now - self._full_since) / 60:.0f} minutes for room. {error}")
        self._closed.wait(min(wait_s, self._patience_s))

    def _has_room(self) -> None:
        if self._full_since is not None:
            self._full_since = None
            self._notes.put(LogLines(text="There is room again on the platform's disk."))
