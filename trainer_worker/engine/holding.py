"""One deployment on a host, from the moment it is told to load it until the platform has heard that it is gone."""

import threading
from dataclasses import dataclass, field

from contracts.fault import FaultReport
from contracts.serving import Held, HoldState, Load
from trainer_worker.engine.journal import Journal
from trainer_worker.engine.meter import Meter
from trainer_worker.engine.port import Engine


@dataclass
class Holding:
    load: Load
    engine: Engine | None = None
    fault: FaultReport | None = None
    is_dropped: bool = False
    is_gone: bool = False
    loaded: threading.Event = field(default_factory=threading.Event)
    """It is ready, or has failed."""
    meter: Meter = field(default_factory=Meter)
    journal: Journal = field(default_factory=Journal)

    @property
    def state(self) -> HoldState:
        if self.is_gone:
            return "gone"
        if self.fault:
            return "failed"
        if self.is_dropped:
            return "stopping"
        return "ready" if self.engine else "loading"

    @property
    def busy(self) -> tuple[int, int]:
        """Choices that are being written, and that wait."""
        return self.engine.busy_with(self.load.deployment) if self.engine else (0, 0)

    @property
    def is_idle(self) -> bool:
        return not any(self.busy)

    @property
    def can_be_asked(self) -> bool:
        return self.state == "ready"

    def tell(self) -> tuple[Held, int]:
        """What it is now, and the number of the last line that is told with it."""
        running, waiting = self.busy
        last, lines = self.journal.untold()
        held = Held(
            deployment=self.load.deployment,
            state=self.state,
            fault=self.fault,
            running=running,
            waiting=waiting,
            counts=self.meter.counts(),
            log=lines,
        )
        return held, last
