"""The engines of a host: one for each model that is in memory, however many deployments it answers for."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from contracts.serving import Load, weights_of
from trainer_worker.engine.port import Engine


@dataclass
class Shared:
    users: set[str] = field(default_factory=set)
    engine: Engine | None = None
    starting: threading.Lock = field(default_factory=threading.Lock)


class Shelf:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._all: dict[str, Shared] = {}

    def take(self, load: Load, start: Callable[[], Engine]) -> Engine:
        """The engine that has the deployment's model: started for the first of them. Raises whatever `start` raises."""
        with self._lock:
            shared = self._all.setdefault(weights_of(load.model), Shared())
            shared.users.add(load.deployment)
        try:
            with shared.starting:
                shared.engine = shared.engine or start()
                return shared.engine
        except BaseException:
            self.give_back(load)
            raise

    def give_back(self, load: Load) -> None:
        """With its last deployment an engine ends."""
        key = weights_of(load.model)
        with self._lock:
            shared = self._all[key]
            shared.users.discard(load.deployment)
            if shared.users:
                return
            del self._all[key]
        if shared.engine is not None:
            shared.engine.close()
