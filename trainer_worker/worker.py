"""A worker's day: ask for a job, bring its files, have it trained, report, ask again."""

import logging
import shutil
import threading

from contracts.event import Claim, Failed, Hello, Phase
from contracts.fault import FaultReport
from trainer_worker.assignment import Assignment
from trainer_worker.cache import Cache, place_all
from trainer_worker.client import AttemptPlatform, Platform, Refused, Unreachable
from trainer_worker.launching import LauncherDied, LauncherProcess
from trainer_worker.machine import free_memory_gb, this_machine
from trainer_worker.reporter import Reporter
from trainer_worker.settings import Settings

log = logging.getLogger(__name__)

HELLO_S = 15.0
GIB = 1 << 30


class Worker:
    """Works in one thread of its own, so that whoever wakes it, wakes it the same way."""

    def __init__(self, settings: Settings, launcher: LauncherProcess | None = None) -> None:
        self.settings = settings
        self._machine = this_machine()
        self._platform = Platform(settings.url, settings.token)
        self._cache = Cache(settings.scratch / "cache", int(settings.cache_gb * GIB))
        self._wanted = threading.Event()
        self._idle = threading.Event()
        self._stopping = threading.Event()
        self._is_launchers_owner = launcher is None
        self._launcher = launcher or LauncherProcess(settings.scratch)
        self._threads = [
            threading.Thread(target=self._work, name="work", daemon=True),
            threading.Thread(target=self._greet, name="hello", daemon=True),
        ]

    def start(self) -> None:
        """Returns once the worker can train. Raises LauncherDied when it never will."""
        self._launcher.wait_until_ready()
        for thread in self._threads:
            thread.start()

    def wake(self) -> None:
        """Look for work now. Returns once there is none left, so that other workers get the next wake-up."""
        self._idle.clear()
        self._wanted.set()
        self._idle.wait()

    def stop(self) -> None:
        """End a running training; the platform gives its job to somebody else."""
        self._stopping.set()
        self._wanted.set()

    def join(self) -> None:
        """After stop(): returns when the last report is out."""
        self._threads[0].join(10)
        if self._is_launchers_owner:
            self._launcher.close()

    def _work(self) -> None:
        while not self._stopping.is_set():
            self._wanted.clear()
            try:
                while not self._stopping.is_set() and self._work_once():
                    pass
            except (Unreachable, Refused) as error:
                log.warning("no claim: %s", error)
            except Exception:
                log.exception("the worker stumbled, and goes on")
            if not self._wanted.is_set():
                self._idle.set()
            self._wanted.wait(self.settings.idle_poll_s)
        self._idle.set()

    def _work_once(self) -> bool:
        """Carry out one job. False when nothing waits."""
        claim = self._platform.claim(self.settings.name, self.settings.pool)
        if claim is None:
            return False
        self._carry_out(claim)
        return True

    def _carry_out(self, claim: Claim) -> None:
        platform = self._platform.attempt(claim)
        assignment = self._assign(claim)
        shutil.rmtree(assignment.folder, ignore_errors=True)
        reporter = Reporter(platform, assignment, claim.lease_s)
        reporter.open()
        try:
            try:
                self._bring_files(claim, assignment, platform, reporter)
                training = self._ready_launcher().launch(assignment.file)
            except (Unreachable, Refused, LauncherDied, OSError, ValueError) as error:
                log.exception("%s could not be started", claim.spec.job)
                reporter.close(Failed(fault=FaultReport(code="job.training_failed", params={"detail": str(error)})))
                return
            end = reporter.attend(self._launcher, training, self._stopping)
            log.info("%s attempt %d ended: %s", claim.spec.job, claim.attempt, end.value)
        finally:
            platform.close()
            shutil.rmtree(assignment.folder, ignore_errors=True)

    def _assign(self, claim: Claim) -> Assignment:
        folder = self.settings.scratch / "jobs" / claim.spec.job / str(claim.attempt)
        return Assignment(
            spec=claim.spec,
            attempt=claim.attempt,
            folder=folder,
            model=folder / "base",
            training=folder / "training.jsonl",
            validation=folder / "validation.jsonl" if claim.spec.validation else None,
            resume=folder / "resume" if claim.resume else None,
            trained_tokens=claim.trained_tokens,
            threads=self._machine.cores,
            processes=max(1, len(self._machine.gpus)),
        )

    def _bring_files(self, claim: Claim, assignment: Assignment, platform: AttemptPlatform, reporter: Reporter) -> None:
        reporter.say(Phase(name="downloading"))
        place_all(self._cache, claim.spec.model.files, assignment.model, platform.download)
        self._cache.place(claim.spec.training.file, assignment.training, platform.download)
        if claim.spec.validation and assignment.validation:
            self._cache.place(claim.spec.validation.file, assignment.validation, platform.download)
        if claim.resume and assignment.resume:
            place_all(self._cache, claim.resume.files, assignment.resume, platform.download)
        assignment.write()

    def _ready_launcher(self) -> LauncherProcess:
        if not self._launcher.is_alive:
            self._launcher = LauncherProcess(self.settings.scratch)
            self._launcher.wait_until_ready()
        return self._launcher

    def _greet(self) -> None:
        while not self._stopping.is_set():
            try:
                self._platform.hello(self._presentation())
            except (Unreachable, Refused) as error:
                log.warning("no hello: %s", error)
            self._stopping.wait(HELLO_S)

    def _presentation(self) -> Hello:
        settings = self.settings
        return Hello(worker=settings.name, pool=settings.pool, machine=self._machine, free_memory_gb=free_memory_gb())
