"""A training that no longer moves: told from one that is slow by what its steps took so far."""

import statistics
import time
from collections import deque

from contracts.event import Metrics, Phase, WorkerEvent
from contracts.fault import FaultReport

PATIENCE_S = 3600.0
"""For all that is not a step: a download, loading, an evaluation, a checkpoint, and the first step of all."""
STEPS_KEPT = 50
BLINK_S = 30.0
"""Who did not look for this long was frozen himself, and does not know what the training did meanwhile."""


class HangWatch:
    """Hears what the training process says and knows when it has been silent for too long. Times are monotonic."""

    def __init__(self, shortest_s: float, factor: float, now: float | None = None) -> None:
        now = time.monotonic() if now is None else now
        self._shortest_s = shortest_s
        self._factor = factor
        self._took: deque[float] = deque(maxlen=STEPS_KEPT)
        self._moved_at = now
        self._looked_at = now
        self._phase = "loading"
        self._step_began: float | None = None

    def hear(self, event: WorkerEvent, now: float) -> None:
        if isinstance(event, Phase):
            self._phase = event.name
            self._step_began = now if event.name == "training" else None
        if isinstance(event, Metrics):
            if self._step_began is not None:
                self._took.append(now - self._step_began)
            self._step_began = now
        self._moved_at = now

    def rest(self, now: float) -> None:
        """The training has a reason to stand still: it waits for its lease."""
        self._moved_at = now
        self._step_began = None

    def verdict(self, now: float) -> FaultReport | None:
        """A fault once the training has stood still for too long."""
        if now - self._looked_at > BLINK_S:
            self.rest(now)
        self._looked_at = now
        silent_s = now - self._moved_at
        if silent_s <= self._limit_s:
            return None
        return self._fault(minutes=round(silent_s / 60, 1))

    def _fault(self, minutes: float) -> FaultReport:
        if not self._took:
            return FaultReport(code="job.hung_before_a_step", params={"minutes": minutes})
        return FaultReport(code="job.hung", params={"minutes": minutes, "usual_s": round(self._usual_s, 1)})

    @property
    def _usual_s(self) -> float:
        return statistics.median(self._took) if self._took else 0.0

    @property
    def _limit_s(self) -> float:
        limit = max(self._shortest_s, self._factor * self._usual_s)
        return limit if self._phase == "training" and self._took else max(limit, PATIENCE_S)
