"""A worker's day: ask for a job, bring its files, have it trained, report, ask again."""

import contextlib
import logging
import shutil
import sqlite3
import threading
import time

from contracts.evaluation import EvaluationSpec
from contracts.event import Claim, Failed, Hello, Stopped, WorkerEvent
from contracts.fault import Fault, FaultReport
from contracts.merging import MergeSpec
from graders.http import AnswerCache
from trainer_worker import disk
from trainer_worker.assignment import Assignment, EvaluationWork, MergeWork, Work
from trainer_worker.cache import Cache
from trainer_worker.client import AttemptPlatform, Platform, Refused, Unreachable
from trainer_worker.files import Bringing
from trainer_worker.hang import HangWatch
from trainer_worker.launching import LauncherDied, LauncherProcess
from trainer_worker.logs import JobLog
from trainer_worker.machine import free_memory_gb, this_machine
from trainer_worker.relay import Relay
from trainer_worker.reporter import End, Halted, Reporter
from trainer_worker.room import Room
from trainer_worker.scratch import clear, instance_of, occupy, outlive_trainers
from trainer_worker.settings import Settings
from trainer_worker.shutdown import LOOK_S, Shutdown

log = logging.getLogger(__name__)

HELLO_S = 15.0
RELEASE_RETRY_S = 1.0
LAST_MOMENTS_S = 15.0
"""Beyond the time for draining: the kill, the last report, the way out."""
GIB = 1 << 30


class Worker:
    """Works in one thread of its own, so that whoever wakes it, wakes it the same way."""

    def __init__(self, settings: Settings, launcher: LauncherProcess | None = None) -> None:
        """Raises ScratchTaken when another worker works in the same folder."""
        self.settings = settings
        self._scratch = occupy(settings.scratch)
        outlive_trainers(settings.scratch)
        clear(settings.scratch)
        self._instance = instance_of(settings.scratch)
        self._machine = this_machine()
        self._room = Room(settings.scratch)
        self._platform = Platform(settings.url, settings.token)
        self._cache = Cache(settings.scratch / "cache", int(settings.cache_gb * GIB))
        self._wanted = threading.Event()
        self._idle = threading.Event()
        self._shutdown = Shutdown(settings.drain_s)
        self._is_launchers_owner = launcher is None
        self._launcher = launcher or LauncherProcess(settings.scratch)
        self._threads = [
            threading.Thread(target=self._work, name="work", daemon=True),
            threading.Thread(target=self._greet, name="hello", daemon=True),
        ]

    def start(self) -> None:
        """Returns once the worker can train. Raises LauncherDied when it never will."""
        self._launcher.wait_until_ready()
        who = self.settings
        log.info("worker %s of pool %s is ready; its launcher is process %d", who.name, who.pool, self._launcher.pid)
        for thread in self._threads:
            thread.start()

    def wake(self) -> None:
        """Look for work now. Returns once there is none left, so that other workers get the next wake-up."""
        self._idle.clear()
        self._wanted.set()
        while self._threads[0].is_alive() and not self._idle.wait(LOOK_S):
            pass  # a worker that has gone home is never idle again

    def stop(self) -> None:
        """Let a running training finish its step and save; the platform gives its job to somebody else."""
        self._shutdown.begin()

    def stop_at_once(self) -> None:
        self._shutdown.hurry()

    def join(self) -> None:
        """After stop(): returns when the last report is out."""
        self._threads[0].join(self.settings.drain_s + LAST_MOMENTS_S)
        if self._is_launchers_owner:
            self._launcher.close()
        self._scratch.close()

    def _work(self) -> None:
        self._release()
        while not self._shutdown.has_begun:
            self._wanted.clear()
            try:
                while not self._shutdown.has_begun and self._work_once():
                    pass
            except (Unreachable, Refused) as error:
                log.warning("no claim: %s", error)
            except Exception:
                log.exception("the worker stumbled, and goes on")
            if not self._wanted.is_set():
                self._idle.set()
            self._rest()
        self._idle.set()

    def _rest(self) -> None:
        """Until somebody wakes us, the time has come to ask without being woken, or the shift is over."""
        until = time.monotonic() + self.settings.idle_poll_s
        while not self._shutdown.has_begun and time.monotonic() < until and not self._wanted.wait(LOOK_S):
            pass

    def _release(self) -> None:
        """Give up what this folder's last worker held, before anything new is claimed. Nothing of it lives."""
        while not self._shutdown.has_begun:
            try:
                return self._platform.release(self.settings.name, self._instance)
            except Unreachable as error:
                log.warning("nothing is given up yet: %s", error)
            except Refused as error:
                return log.error("nothing was given up: %s", error)
            self._shutdown.wait(RELEASE_RETRY_S)

    def _work_once(self) -> bool:
        """Carry out one job. False when nothing waits, or there is no room to carry it out."""
        if not self._room.is_worth_a_try:
            return False
        claim = self._platform.claim(self.settings.name, self.settings.pool, self._instance)
        if claim is None:
            return False
        platform = self._platform.attempt(claim)
        assignment = self._assign(claim)
        about = JobLog(log, assignment)
        about.info("begins at step %d", assignment.from_step)
        try:
            end, fault = self._carry_out(claim, assignment, platform)
            about.info("ended: %s", end.value)
        finally:
            platform.close()
            shutil.rmtree(assignment.folder, ignore_errors=True)
        if fault is not None and fault.code == disk.FULL_CODE:
            about.warning("asks for no work until there is room, or some time has passed")
            self._room.was_too_little()
        else:
            self._room.was_enough()
        return True

    def _carry_out(self, claim: Claim, assignment: Work, platform: AttemptPlatform) -> tuple[End, FaultReport | None]:
        """How the attempt ended, and why when it failed."""
        shutil.rmtree(assignment.folder, ignore_errors=True)
        hang = HangWatch(self.settings.hang_s, self.settings.hang_factor)
        reporter = Reporter(platform, assignment, claim.lease_s, self._shutdown, hang)
        with contextlib.ExitStack() as beside:
            try:
                reporter.open()
                bringing = Bringing(self._cache, platform, assignment, reporter)
                bringing.bring(claim)
                if (reach := bringing.reach(claim)) is not None:
                    relay = Relay(
                        assignment.folder,
                        reach,
                        AnswerCache(self.settings.scratch / "judges.sqlite3"),
                        self.settings.url,
                    )
                    beside.callback(relay.close)
                training = self._ready_launcher().launch(assignment.file)
            except (Halted, Fault, Refused, LauncherDied, OSError, ValueError, sqlite3.Error) as error:
                JobLog(log, assignment).error("could not be started: %r", error)
                return reporter.close(_why_not(error, assignment)), reporter.fault
            return reporter.attend(self._launcher, training), reporter.fault

    def _assign(self, claim: Claim) -> Work:
        folder = self.settings.scratch / "jobs" / claim.spec.job / str(claim.attempt)
        if isinstance(claim.spec, MergeSpec):
            return MergeWork(
                spec=claim.spec,
                attempt=claim.attempt,
                worker=self.settings.name,
                folder=folder,
                model=folder / "base",
                threads=self._machine.cores,
            )
        scorers = {ref.name: folder / "scorers" / str(n) for n, ref in enumerate(claim.spec.scorers)}
        if isinstance(claim.spec, EvaluationSpec):
            return EvaluationWork(
                spec=claim.spec,
                attempt=claim.attempt,
                worker=self.settings.name,
                folder=folder,
                model=folder / "base",
                rows=folder / "rows.jsonl",
                from_step=claim.resume.step if claim.resume else 0,
                scorers=scorers,
                threads=self._machine.cores,
            )
        return Assignment(
            spec=claim.spec,
            attempt=claim.attempt,
            worker=self.settings.name,
            folder=folder,
            model=folder / "base",
            training=folder / "training.jsonl",
            validation=folder / "validation.jsonl" if claim.spec.validation else None,
            resume=folder / "resume" if claim.resume else None,
            from_step=claim.resume.step if claim.resume else 0,
            scorers=scorers,
            trained_tokens=claim.trained_tokens,
            threads=self._machine.cores,
            processes=max(1, len(self._machine.gpus)),
        )

    def _ready_launcher(self) -> LauncherProcess:
        if not self._launcher.is_alive:
            self._launcher = LauncherProcess(self.settings.scratch)
            self._launcher.wait_until_ready()
        return self._launcher

    def _greet(self) -> None:
        while not self._shutdown.has_begun:
            try:
                self._platform.hello(self._presentation())
            except (Unreachable, Refused) as error:
                log.warning("no hello: %s", error)
            self._shutdown.wait(HELLO_S)

    def _presentation(self) -> Hello:
        settings = self.settings
        return Hello(worker=settings.name, pool=settings.pool, machine=self._machine, free_memory_gb=free_memory_gb())


def _why_not(error: Exception, assignment: Work) -> WorkerEvent:
    """The last word of an attempt whose training did not begin."""
    if isinstance(error, Halted):
        return Stopped(step=assignment.from_step)
    if isinstance(error, Fault):
        return Failed(fault=error.report)
    if disk.is_full(error):
        return Failed(fault=disk.full(assignment))
    return Failed(fault=FaultReport(code="job.training_failed", params={"detail": str(error)}))
