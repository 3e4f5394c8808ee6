"""Files leave the machine in a thread of their own, in the order in which they were named."""

import logging
import queue
import shutil
import threading
from pathlib import Path

from contracts.event import CheckpointSaved, Finished, RolloutsWritten
from contracts.fault import FaultReport
from contracts.job import FileRef
from trainer_worker import disk
from trainer_worker.assignment import Assignment
from trainer_worker.cache import inside
from trainer_worker.client import AttemptPlatform, Refused, Unreachable
from trainer_worker.logs import JobLog

WithFiles = CheckpointSaved | RolloutsWritten | Finished
RETRY_S = 2.0


class Uploads:
    """Events whose files are still on their way. What comes out of `finished` may be reported."""

    def __init__(self, platform: AttemptPlatform, assignment: Assignment) -> None:
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

    def close(self) -> None:
        """Give up what has not been sent."""
        self._closed.set()
        self._waiting.put(None)

    def _work(self) -> None:
        while (event := self._waiting.get()) is not None and not self._closed.is_set():
            try:
                self._send(event)
                self._done.put(event)
            except (Refused, OSError, ValueError) as error:
                self._log.error("files of a %s could not be stored: %s", event.type, error)
                self._fail(event, error)
                self._done.put(None)

    def _fail(self, event: WithFiles, error: Exception) -> None:
        if isinstance(event, RolloutsWritten):
            return
        if disk.is_full(error):
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
        while not self._closed.is_set():
            try:
                return self._platform.upload(ref, file)
            except Unreachable as error:
                self._log.warning("%s will be sent again: %s", ref.path, error)
                self._closed.wait(RETRY_S)
