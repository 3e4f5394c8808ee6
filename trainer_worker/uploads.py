"""Files leave the machine in a thread of their own, in the order in which they were named."""

import logging
import queue
import shutil
import threading
import time
from pathlib import Path

from contracts.event import CheckpointSaved, Finished, RolloutsWritten
from contracts.fault import FaultReport
from contracts.job import FileRef
from trainer_worker.assignment import Assignment
from trainer_worker.cache import inside
from trainer_worker.client import AttemptPlatform, Refused, Unreachable

log = logging.getLogger(__name__)

WithFiles = CheckpointSaved | RolloutsWritten | Finished
RETRY_S = 2.0


class Uploads:
    """Events whose files are still on their way. What comes out of `finished` may be reported."""

    def __init__(self, platform: AttemptPlatform, assignment: Assignment) -> None:
        self._platform = platform
        self._assignment = assignment
        self._waiting: queue.Queue[WithFiles | None] = queue.Queue()
        self._done: queue.Queue[WithFiles] = queue.Queue()
        self._open = 0
        self._closed = threading.Event()
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
        return events if self.failed is None else []

    def close(self) -> None:
        """Give up what has not been sent."""
        self._closed.set()
        self._waiting.put(None)

    def _work(self) -> None:
        while (event := self._waiting.get()) is not None and not self._closed.is_set():
            try:
                self._send(event)
            except (Refused, OSError, ValueError) as error:
                log.exception("files of %s could not be stored", self._assignment.spec.job)
                self.failed = FaultReport(code="job.training_failed", params={"detail": f"storing files: {error}"})
            self._done.put(event)

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
                log.warning("%s will be sent again: %s", ref.path, error)
                time.sleep(RETRY_S)
