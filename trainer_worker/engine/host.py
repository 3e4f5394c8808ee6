"""A host of engines: holds the models that the platform gives it, and carries questions and answers."""

import logging
import shutil
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from contracts.completion import Ask, Cancel, Letter, Refusal
from contracts.fault import Fault, FaultReport
from contracts.serving import Attendance, Duties, Held, Load
from trainer_worker.cache import Cache, place_all
from trainer_worker.client import Refused, Unreachable
from trainer_worker.engine.outbox import Outbox
from trainer_worker.engine.platform import HostPlatform
from trainer_worker.engine.port import Engine
from trainer_worker.machine import free_memory_gb, this_machine
from trainer_worker.settings import Settings
from trainer_worker.shutdown import LOOK_S, Shutdown

log = logging.getLogger(__name__)
ATTEND_S = 5.0
RETRY_S = 1.0
GIB = 1 << 30
CACHE_SHARE = 0.25
"""Of the memory that is free when a model is loaded: for the rows that it writes at once."""


@dataclass
class Holding:
    """One deployment on this host."""

    load: Load
    engine: Engine | None = None
    fault: FaultReport | None = None
    is_dropped: bool = False

    def tell(self) -> Held:
        state = "failed" if self.fault else "ready" if self.engine else "loading"
        running, waiting = (self.engine.running, self.engine.waiting) if self.engine else (0, 0)
        return Held.model_validate(
            {
                "deployment": self.load.deployment,
                "state": state,
                "fault": self.fault,
                "running": running,
                "waiting": waiting,
            }
        )

    @property
    def is_idle(self) -> bool:
        return self.engine is None or not self.engine.running + self.engine.waiting


class Host:
    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._platform = HostPlatform(settings.url, settings.token)
        self._outbox = Outbox(self._platform)
        self._cache = Cache(settings.scratch / "cache", int(settings.cache_gb * GIB))
        self._models = settings.scratch / "models"
        shutil.rmtree(self._models, ignore_errors=True)
        self._machine = this_machine()
        self._holdings: dict[str, Holding] = {}
        self._due = threading.Event()
        self._shutdown = Shutdown(settings.drain_s)

    def stop(self) -> None:
        """Write to the end what is being written, and go."""
        self._shutdown.begin()
        self._due.set()

    def run(self) -> None:
        """Returns once it was told to stop and has finished."""
        log.info("host %s of pool %s is ready", self.settings.name, self.settings.pool)
        reading = threading.Thread(target=self._read_letters, name="letters", daemon=True)
        reading.start()
        while not self._shutdown.has_begun:
            self._attend()
            self._due.wait(ATTEND_S)
            self._due.clear()
        self._leave()

    def _leave(self) -> None:
        self._attend(is_leaving=True)
        while not all(holding.is_idle for holding in self._holdings.values()) and not self._shutdown.is_overdue:
            time.sleep(LOOK_S)
        for holding in self._holdings.values():
            if holding.engine is not None:
                holding.engine.close()
        self._outbox.close()
        self._holdings.clear()
        self._attend(is_leaving=True)

    def _attend(self, *, is_leaving: bool = False) -> None:
        said = Attendance(
            host=self.settings.name,
            pool=self.settings.pool,
            machine=self._machine,
            free_memory_gb=free_memory_gb(),
            holds=tuple(holding.tell() for holding in self._holdings.values()),
            is_leaving=is_leaving,
        )
        for name in [name for name, holding in self._holdings.items() if holding.fault is not None]:
            del self._holdings[name]  # told with this attendance, or found missing at the next
        try:
            self._do(self._platform.attend(said))
        except (Unreachable, Refused) as error:
            log.warning("the platform does not know what is held here: %s", error)
            self._shutdown.wait(RETRY_S)

    def _do(self, duties: Duties) -> None:
        for load in duties.load:
            holding = self._holdings[load.deployment] = Holding(load)
            threading.Thread(target=self._load, args=[holding], name="load", daemon=True).start()
        for name in duties.drop:
            if (found := self._holdings.get(name)) is not None and not found.is_dropped:
                found.is_dropped = True
                threading.Thread(target=self._drop, args=[found], name="drop", daemon=True).start()

    def _load(self, holding: Holding) -> None:
        load, started = holding.load, time.monotonic()
        folder = self._models / load.deployment
        try:
            self._bring(load, folder)
            holding.engine = self._start(load, folder)
            log.info("deployment=%s “%s” is ready after %.1f s", *_names(load), time.monotonic() - started)
        except Fault as fault:
            holding.fault = fault.report
        except Exception as error:
            log.exception("deployment=%s “%s” could not be loaded", *_names(load))
            detail = (str(error) or type(error).__name__)[:500]
            holding.fault = FaultReport(code="deployment.failed", params={"model": load.model.name, "detail": detail})
        finally:
            shutil.rmtree(folder, ignore_errors=True)
            self._due.set()

    def _bring(self, load: Load, folder: Path) -> None:
        blobs = self._platform.blobs(load)
        try:
            place_all(self._cache, load.model.files, folder, blobs.download)
        finally:
            blobs.close()

    def _start(self, load: Load, folder: Path) -> Engine:
        """The libraries are heavy, and loaded with the first model: a host that holds none is small."""
        from trainer_worker.engine.own import Loaded, OwnEngine

        loaded = Loaded.from_folder(folder)
        return OwnEngine(load.model.name, loaded, self._outbox.tell, int(free_memory_gb() * GIB * CACHE_SHARE))

    def _drop(self, holding: Holding) -> None:
        until = time.monotonic() + self.settings.drain_s
        while not holding.is_idle and time.monotonic() < until:
            time.sleep(LOOK_S)
        if holding.engine is not None:
            holding.engine.close()
        self._holdings.pop(holding.load.deployment, None)
        log.info("deployment=%s “%s” is let go", *_names(holding.load))
        self._due.set()

    def _read_letters(self) -> None:
        while True:
            try:
                letters = self._platform.letters(self.settings.name).letters
            except (Unreachable, Refused) as error:
                log.warning("no letters: %s", error)
                self._shutdown.wait(RETRY_S)
                continue
            for letter in letters:
                self._read(letter)

    def _read(self, letter: Letter) -> None:
        if isinstance(letter, Ask):
            self._ask(letter)
        elif isinstance(letter, Cancel):
            for holding in list(self._holdings.values()):
                if holding.engine is not None:
                    holding.engine.cancel(letter.id)
        else:
            self._due.set()

    def _ask(self, ask: Ask) -> None:
        holding = self._holdings.get(ask.deployment)
        if holding is None or holding.engine is None or holding.is_dropped or self._shutdown.has_begun:
            return self._outbox.tell(ask.reply_to, Refusal(ask=ask.id, fault=FaultReport(code="engine.lost")))
        holding.engine.ask(ask)


def _names(load: Load) -> tuple[str, str]:
    return load.deployment, load.model.name
