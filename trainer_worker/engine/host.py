"""A host of engines: holds the models that the platform gives it, and carries questions and answers."""

import logging
import shutil
import threading
import time
from collections import OrderedDict
from pathlib import Path

from contracts.completion import Ask, Cancel, Letter, Question, Refusal, Said, Score
from contracts.fault import Fault, FaultReport
from contracts.job import FileRef
from contracts.serving import Attendance, Duties, Load
from trainer_worker.cache import Cache, place_all
from trainer_worker.client import Refused, Unreachable
from trainer_worker.engine.holding import Holding
from trainer_worker.engine.outbox import Outbox
from trainer_worker.engine.platform import HostPlatform
from trainer_worker.engine.port import Engine, Rater, Writer
from trainer_worker.engine.shelf import Shelf
from trainer_worker.engine.starting import start_engine
from trainer_worker.machine import free_memory_gb, free_of_gpu_gb, this_machine
from trainer_worker.settings import Settings
from trainer_worker.shutdown import LOOK_S, Shutdown

log = logging.getLogger(__name__)
ATTEND_S = 5.0
RETRY_S = 1.0
GIB = 1 << 30
REMEMBERED = 8192
"""Requests of which it is known that they were read, should they come a second time."""


class Host:
    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._platform = HostPlatform(settings.url, settings.token)
        self._outbox = Outbox(self._platform)
        self._cache = Cache(settings.scratch / "cache", int(settings.cache_gb * GIB))
        self._models = settings.scratch / "models"
        shutil.rmtree(self._models, ignore_errors=True)
        self._machine = this_machine()
        self._shelf = Shelf()
        self._holdings: dict[str, Holding] = {}
        self._asked: OrderedDict[str, Holding] = OrderedDict()
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
        self._attend()
        while not all(holding.is_idle for holding in self._holdings.values()) and not self._shutdown.is_overdue:
            time.sleep(LOOK_S)
        for holding in [one for one in self._holdings.values() if one.engine is not None and not one.is_gone]:
            self._let_go(holding)
        self._outbox.close()
        self._attend()

    def _attend(self) -> None:
        holdings = dict(self._holdings)
        for holding in holdings.values():
            self._look_after(holding)
        told = {name: holding.tell() for name, holding in holdings.items()}
        said = Attendance(
            host=self.settings.name,
            pool=self.settings.pool,
            machine=self._machine,
            free_memory_gb=free_of_gpu_gb() if self._machine.gpus else free_memory_gb(),
            holds=tuple(held for held, _ in told.values()),
            is_leaving=self._shutdown.has_begun,
        )
        try:
            duties = self._platform.attend(said)
        except (Unreachable, Refused) as error:
            log.warning("the platform does not know what is held here: %s", error)
            return self._shutdown.wait(RETRY_S)
        for name, (held, last) in told.items():
            holdings[name].journal.told(last)
            if held.state in ("failed", "gone"):
                del self._holdings[name]
        self._do(duties)

    def _look_after(self, holding: Holding) -> None:
        """An engine that is a program of its own may have ended."""
        if holding.engine is None or (fault := holding.engine.fault) is None:
            return
        holding.fault, holding.engine = fault, None
        self._note(holding, fault.message)
        self._shelf.give_back(holding.load)

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
        folder = self._models / f"{load.deployment}-{threading.get_ident()}"
        try:
            engine = self._shelf.take(load, lambda: self._start(holding, folder / "model"))
            try:
                adapter = self._bring(load, load.adapter, folder / "adapter") if load.adapter else None
                engine.hold(load, adapter)
            except BaseException:
                self._shelf.give_back(load)
                raise
            holding.engine = engine
            self._note(holding, f"ready after {time.monotonic() - started:.1f} s")
        except Fault as fault:
            holding.fault = fault.report
            self._note(holding, str(fault))
        except Exception as error:
            log.exception("deployment=%s “%s” could not be loaded", load.deployment, load.name)
            detail = (str(error) or type(error).__name__)[:500]
            holding.fault = FaultReport(code="deployment.failed", params={"model": load.name, "detail": detail})
            self._note(holding, f"could not be loaded: {detail}")
        finally:
            shutil.rmtree(folder, ignore_errors=True)
            holding.loaded.set()
            self._due.set()

    def _start(self, holding: Holding, folder: Path) -> Engine:
        load = holding.load
        self._note(holding, f"loads {load.model.name}, {sum(file.size for file in load.model.files):,} bytes")
        self._bring(load, load.model.files, folder)
        return start_engine(self.settings, load, folder, self._tell, holding.journal.write)

    def _bring(self, load: Load, files: tuple[FileRef, ...], folder: Path) -> Path:
        blobs = self._platform.blobs(load)
        try:
            return place_all(self._cache, files, folder, blobs.download)
        finally:
            blobs.close()

    def _drop(self, holding: Holding) -> None:
        holding.loaded.wait()
        until = time.monotonic() + self.settings.drain_s
        while not holding.is_idle and time.monotonic() < until:
            time.sleep(LOOK_S)
        if holding.engine is not None and not holding.is_gone:
            self._let_go(holding)
        self._due.set()

    def _let_go(self, holding: Holding) -> None:
        assert holding.engine is not None
        holding.engine.let_go(holding.load.deployment)
        holding.is_gone, holding.engine = True, None
        self._shelf.give_back(holding.load)
        self._note(holding, "let go")

    def _note(self, holding: Holding, line: str) -> None:
        log.info("deployment=%s “%s” %s", holding.load.deployment, holding.load.name, line)
        holding.journal.write(line)

    def _read_letters(self) -> None:
        mark = ""
        while True:
            try:
                found = self._platform.letters(self.settings.name, mark)
            except (Unreachable, Refused) as error:
                log.warning("no letters: %s", error)
                self._shutdown.wait(RETRY_S)
                continue
            mark = found.mark or mark
            for letter in found.letters:
                self._read(letter)

    def _read(self, letter: Letter) -> None:
        if isinstance(letter, Ask | Score):
            self._ask(letter)
        elif isinstance(letter, Cancel):
            if (holding := self._asked.get(letter.id)) is not None and holding.engine is not None:
                holding.meter.cancel(letter.id)
                holding.engine.cancel(letter.id)
        else:
            self._due.set()

    def _ask(self, ask: Question) -> None:
        """A request that comes again, because the answer that brought it was lost, is being answered already."""
        if ask.id in self._asked:
            return
        holding = self._holdings.get(ask.deployment)
        if holding is None or holding.engine is None or not holding.can_be_asked or self._shutdown.has_begun:
            return self._outbox.tell(ask.reply_to, Refusal(ask=ask.id, fault=FaultReport(code="engine.lost")))
        self._asked[ask.id] = holding
        if len(self._asked) > REMEMBERED:
            self._asked.popitem(last=False)
        holding.meter.begin(ask)
        self._hand_over(ask, holding.engine, holding.load.name)

    def _hand_over(self, ask: Question, engine: Engine, called: str) -> None:
        """The model may have become one of the other kind since the platform looked."""
        if isinstance(ask, Score) and isinstance(engine, Rater):
            return engine.score(ask)
        if isinstance(ask, Ask) and isinstance(engine, Writer):
            return engine.ask(ask)
        code = "deployment.writes_no_text" if isinstance(ask, Ask) else "deployment.gives_no_score"
        fault = FaultReport(code=code, field="model", params={"model": called})
        self._tell(ask.reply_to, Refusal(ask=ask.id, fault=fault))

    def _tell(self, to: str, said: Said) -> None:
        if (holding := self._asked.get(said.ask)) is not None:
            holding.meter.hear(said)
            if isinstance(said, Refusal) and said.fault.cause != "user":
                holding.journal.write(f"{said.fault.code}: {said.fault.message}")
        self._outbox.tell(to, said)
