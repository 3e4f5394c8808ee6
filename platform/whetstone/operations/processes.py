"""The platform's processes on one machine: started together, watched, and stopped together."""

import contextlib
import ctypes
import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType, TracebackType

import httpx
from django.conf import settings
from django.core.management import call_command

PR_SET_PDEATHSIG = 1
STOP_TIMEOUT_S = 20
LOOK_S = 0.2
KEEP_ALIVE_S = 75
"""Longer than clients and proxies keep a connection that nobody uses (httpx 5 s, nginx 60 s): whoever closes it first
must not be the one who may just be sent a request."""
READY_TIMEOUT_S = 60
ROOT = Path(__file__).resolve().parents[3]
HINT = """It listens to every machine, but answers only who calls it 127.0.0.1 or localhost. To let others in, stop it,
and start it again with the names that they use:  WHETSTONE_ALLOWED_HOSTS=name,10.0.0.5"""


class CannotStart(Exception):
    """The platform cannot be started here, for a reason that its message says."""


@dataclass
class Program:
    """One process that is kept running."""

    name: str
    command: list[str]
    environment: dict[str, str]
    log: Path
    process: subprocess.Popen[bytes] | None = None
    starts: list[float] = field(default_factory=list)

    def start(self) -> None:
        self.starts = [*self.starts[-9:], time.monotonic()]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command,
                cwd=ROOT,
                env=os.environ | self.environment,
                stdout=log,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                start_new_session=True,  # Ctrl-C reaches us alone, and we stop them in order
                preexec_fn=_die_with_parent,
            )

    @property
    def pause_s(self) -> float:
        """How long to wait before the next start: longer the more often it died of late."""
        recent = sum(time.monotonic() - start < 60 for start in self.starts)
        return float(min(30.0, 0.5 * 2**recent))


def _die_with_parent() -> None:
    """If we are killed with SIGKILL, nothing stays behind on the port (Linux; elsewhere it does nothing)."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


class Platform:
    """Web, supervisor, one worker and one host of engines. A context: what was started is stopped."""

    def __init__(self, host: str, port: int) -> None:
        self.host, self.port = host, port
        self.home = Path(settings.HOME)
        self.logs = self.home / "logs"
        self.url = f"http://{'127.0.0.1' if host == '0.0.0.0' else host}:{port}"
        self._stopping = threading.Event()
        self._is_asked_to_stop = False
        self._programs = self._plan()
        self._lock = (self.home / "up.lock").open("w")

    @property
    def hint(self) -> str:
        """What to do when it listens to machines that it would turn away; else nothing."""
        told = {"WHETSTONE_PUBLIC_URL", "WHETSTONE_ALLOWED_HOSTS"} & set(os.environ)
        return HINT if self.host == "0.0.0.0" and not told else ""

    def _plan(self) -> list[Program]:
        python = sys.executable
        public_url = os.environ.get("WHETSTONE_PUBLIC_URL", self.url)
        web = {"WHETSTONE_HOME": str(self.home), "WHETSTONE_PUBLIC_URL": public_url}
        serve = f"-m uvicorn whetstone.asgi:application --app-dir platform --host {self.host} --port {self.port}"
        quiet = f" --log-level warning --timeout-graceful-shutdown 3 --timeout-keep-alive {KEEP_ALIVE_S}"
        engine = "-m trainer_worker.serve"
        celery = "-m celery -A trainer_worker.app worker --pool solo --loglevel INFO"
        return [
            Program("web", [python, *(serve + quiet).split()], web, self.logs / "web.log"),
            Program("supervisor", [python, "manage.py", "supervise"], web, self.logs / "supervisor.log"),
            Program("worker", [python, *celery.split()], self._worker_environment("worker"), self.logs / "worker.log"),
            Program("engine", [python, *engine.split()], self._worker_environment("engine"), self.logs / "engine.log"),
        ]

    def _worker_environment(self, folder: str) -> dict[str, str]:
        return {
            "WHETSTONE_URL": self.url,
            "WHETSTONE_WORKER_TOKEN": settings.WORKER_TOKEN,
            "WHETSTONE_BROKER_URL": settings.ENVIRONMENT.broker,
            "WHETSTONE_SCRATCH": str(self.home / folder),
        }

    def __enter__(self) -> "Platform":
        self.logs.mkdir(parents=True, exist_ok=True)
        self._reserve()
        call_command("migrate", verbosity=0, interactive=False)
        for number in (signal.SIGINT, signal.SIGTERM):  # a shell starts background jobs with SIGINT ignored
            signal.signal(number, self._interrupt)
        try:
            for program in self._programs:
                program.start()
            threading.Thread(target=self._keep_running, daemon=True).start()
            self._await_ready()
        except BaseException:
            self._stop()
            raise
        (self.home / "platform.json").write_text(json.dumps({"url": self.url, "pid": os.getpid()}))
        return self

    def _reserve(self) -> None:
        """Raises CannotStart when this home or this port is in use."""
        if not (ROOT / "frontend" / "dist").exists():
            raise CannotStart("The pages are not built yet. Run `make install` first.")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CannotStart(
                f"Another `manage.py up` runs in {self.home}. Stop it, or choose another --home."
            ) from None
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((self.host, self.port))
            except (OSError, OverflowError) as error:
                why = error.strerror if isinstance(error, OSError) else error
                raise CannotStart(
                    f"Cannot listen on {self.host}, port {self.port}: {why}. Choose another with --port or --host."
                ) from None

    def _await_ready(self) -> None:
        deadline = time.monotonic() + READY_TIMEOUT_S
        with httpx.Client(timeout=2, trust_env=False) as http:  # a proxy knows nothing of this machine's own ports
            while time.monotonic() < deadline:
                if self._is_asked_to_stop:
                    raise KeyboardInterrupt
                with contextlib.suppress(httpx.HTTPError):
                    if http.get(f"{self.url}/readyz").status_code == 200:
                        return
                time.sleep(0.1)
        raise CannotStart(f"The web process did not become ready. Its log: {self.logs / 'web.log'}")

    def _keep_running(self) -> None:
        while not self._stopping.wait(0.2):
            for program in self._programs:
                if program.process and program.process.poll() is not None and not self._stopping.is_set():
                    print(
                        f"{program.name} ended ({program.process.returncode}); starting it again",
                        file=sys.stderr,
                    )
                    if self._stopping.wait(program.pause_s):
                        return
                    program.start()

    def watch(self) -> None:
        """Return when Ctrl-C or SIGTERM asks to stop."""
        with contextlib.suppress(KeyboardInterrupt):
            while not self._is_asked_to_stop:
                time.sleep(LOOK_S)

    def _interrupt(self, signum: int, frame: FrameType | None) -> None:
        """The exception cuts short what is being waited for. Python drops it where it comes up in a destructor or in a
        callback of the garbage collector: so whoever waits also looks."""
        self._is_asked_to_stop = True
        raise KeyboardInterrupt

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    def _stop(self) -> None:
        self._stopping.set()
        for signum in (signal.SIGINT, signal.SIGTERM):  # a second Ctrl-C must not leave half of them running
            signal.signal(signum, signal.SIG_IGN)
        _end([program for program in self._programs if program.name in ("worker", "engine")])
        _end(self._programs)  # after these: they have to tell the web how far they got
        (self.home / "platform.json").unlink(missing_ok=True)


def _end(programs: list[Program]) -> None:
    """Ask them to end, and kill what has not after a while."""
    running = [p.process for p in programs if p.process and p.process.poll() is None]
    for process in running:
        process.terminate()
    deadline = time.monotonic() + STOP_TIMEOUT_S
    for process in running:
        try:
            process.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
