"""A platform of plain processes with two workers, whose every process, network and file can be harmed."""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from scripts.compose import ROOT
from scripts.machine import free_port
from tests.faults.facts import Database
from tests.faults.proxy import Network, Proxy

PR_SET_PDEATHSIG = 1
USER = "ada"
TOKEN = "the-workers-join-token-of-this-test"
LEASE_S = 5.0
PREPARE = f"""
from whetstone.accounts.models import User
from whetstone.accounts.scope import team_of
from whetstone.operations.seed import blank_model
user = User.objects.create_user("{USER}")
print(blank_model(user, team_of(user)).name)
"""
MUTANTS = Path(__file__).parent / "mutants"
WEB = "-m uvicorn whetstone.asgi:application --app-dir platform --host 127.0.0.1 --log-level warning --port"
WORKER = "-m celery -A trainer_worker.app worker --pool solo --loglevel INFO"


@dataclass
class Place:
    """The platform. Processes are called web, supervisor, supervisor-2, worker-a, worker-b, …"""

    folder: Path
    settings: dict[str, str]
    """Database and broker, where they are not SQLite in the folder."""
    surroundings: dict[str, dict[str, str]] = field(default_factory=dict)
    """What single processes find in their environment besides, by their names."""
    port: int = field(default_factory=free_port)
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    proxies: dict[str, Proxy] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def home(self) -> Path:
        return self.folder / "home"

    @property
    def scratch(self) -> Path:
        return self.folder / "scratch"

    @property
    def broker(self) -> str:
        return self.settings.get("WHETSTONE_BROKER_URL", f"sqla+sqlite:///{self.home}/broker.sqlite3")

    @property
    def database(self) -> Database:
        return Database(self.settings.get("DATABASE_URL", f"sqlite:///{self.home}/platform.sqlite3"))

    def environment(self, name: str) -> dict[str, str]:
        ours = {key: value for key, value in os.environ.items() if not key.startswith(("WHETSTONE_", "DATABASE_"))}
        if not name.startswith("worker"):
            platform = {"WHETSTONE_HOME": str(self.home), "WHETSTONE_WORKER_TOKEN": TOKEN}
            return ours | platform | {"WHETSTONE_LEASE_S": str(LEASE_S)} | self.settings
        proxy = self.proxies.setdefault(name, Proxy(self.port))
        return ours | {
            "WHETSTONE_URL": f"http://127.0.0.1:{proxy.port}",
            "WHETSTONE_WORKER_TOKEN": TOKEN,
            "WHETSTONE_BROKER_URL": self.broker,
            "WHETSTONE_WORKER_NAME": name,
            "WHETSTONE_SCRATCH": str(self.scratch / name),
            "WHETSTONE_IDLE_POLL_S": "1",
        }

    def start(self, *names: str, mutant: str = "") -> None:
        """Start processes that do not run. A mutant is a folder below mutants/ with a changed piece of our code."""
        for name in names:
            python_path = {"PYTHONPATH": f"{MUTANTS / mutant}:{ROOT}:{ROOT / 'platform'}"} if mutant else {}
            log = self.folder / "logs" / f"{name}.log"
            log.parent.mkdir(parents=True, exist_ok=True)
            with log.open("ab") as output:
                self.processes[name] = subprocess.Popen(
                    [sys.executable, *self._command(name)],
                    cwd=ROOT,
                    env=self.environment(name) | python_path | self.surroundings.get(name, {}),
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                    start_new_session=True,
                    preexec_fn=_die_with_parent,
                )

    def _command(self, name: str) -> list[str]:
        if name == "web":
            return [*WEB.split(), str(self.port)]
        if name.startswith("supervisor"):
            return ["manage.py", "supervise"]
        return WORKER.split()

    def kill(self, *names: str) -> None:
        """SIGKILL, all of them before the first is buried."""
        for name in names:
            self.processes[name].kill()
        for name in names:
            self.processes.pop(name).wait()

    def restart(self, *names: str, mutant: str = "") -> None:
        self.kill(*names)
        self.start(*names, mutant=mutant)
        self.await_ready()
        self.await_workers()

    def await_ready(self, patience_s: float = 60) -> None:
        give_up = time.monotonic() + patience_s
        while time.monotonic() < give_up:
            with contextlib.suppress(httpx.HTTPError):
                if httpx.get(f"{self.url}/readyz", timeout=2).status_code == 200:
                    return
            time.sleep(0.05)
        raise AssertionError(f"the web is not ready: {self.end_of_log('web')}")

    def await_workers(self, patience_s: float = 60) -> None:
        """Until every worker's Celery listens, which it does once it can train."""
        give_up = time.monotonic() + patience_s
        for name in [name for name in self.processes if name.startswith("worker")]:
            while self._last_word_of(name) != "ready":
                assert time.monotonic() < give_up, self.end_of_log(name)
                time.sleep(0.1)

    def _last_word_of(self, name: str) -> str:
        """Whether the worker's newest process has come so far: its banner comes first, “ready” last."""
        text = self.log(name)
        return "ready" if text.rfind(" ready.") > text.rfind("[config]") else "starting"

    def heal(self) -> None:
        """Everything runs again and nothing is cut: what a row leaves to the next."""
        for proxy in self.proxies.values():
            proxy.network = Network.OPEN
        for name, process in list(self.processes.items()):
            process.send_signal(signal.SIGCONT)
            if process.poll() is not None:
                self.start(name)
        self.start(*[name for name in ("web", "supervisor", "worker-a", "worker-b") if name not in self.processes])
        self.await_ready()
        self.await_workers()

    def manage(self, *arguments: str) -> str:
        """The last line that a management command prints."""
        command = [sys.executable, "manage.py", *arguments]
        done = subprocess.run(
            command, cwd=ROOT, env=self.environment("manage"), stdout=subprocess.PIPE, text=True, check=True, timeout=90
        )
        return (done.stdout.splitlines() or [""])[-1]

    def api(self) -> httpx.Client:
        key = self.manage("createkey", "--user", USER)
        return httpx.Client(base_url=self.url, headers={"Authorization": f"Bearer {key}"}, timeout=30)

    def log(self, name: str) -> str:
        path = self.folder / "logs" / f"{name}.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def end_of_log(self, name: str) -> str:
        return "\n".join(self.log(name).splitlines()[-30:])

    def stop(self) -> None:
        for process in self.processes.values():
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        for proxy in self.proxies.values():
            proxy.close()


def _die_with_parent() -> None:
    """Nothing of a test run that was killed stays behind (Linux; elsewhere it does nothing)."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


@contextmanager
def place(
    folder: Path, settings: dict[str, str], surroundings: dict[str, dict[str, str]] | None = None
) -> Iterator[Place]:
    """The platform, ready, with two workers that wait for work."""
    here = Place(folder, settings, surroundings or {})
    here.home.mkdir(exist_ok=True)
    try:
        here.start("worker-a", "worker-b")
        here.manage("migrate", "--verbosity", "0")
        here.start("web", "supervisor")
        here.manage("shell", "--no-imports", "--command", PREPARE)
        here.await_ready()
        here.await_workers()
        yield here
    finally:
        here.stop()
