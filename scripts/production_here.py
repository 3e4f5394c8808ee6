"""Start what docker-compose.yml describes as plain processes, where no Docker engine runs.

    python -m scripts.production_here --workers 2

Commands, environment, order and health checks are read from docker-compose.yml. Of this machine's own it takes the
PostgreSQL, in which it makes a role and a database and drops both at the end, and the program redis-server. Everything
else lives in a folder that is removed at the end. Ctrl-C stops it all.
"""

import argparse
import contextlib
import os
import re
import shlex
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from secrets import token_hex
from typing import NoReturn
from urllib.parse import urlsplit

from scripts import machine
from scripts.compose import ROOT, Service, read_services, replicas

STOP_S = 30
READY_S = 120


class CannotStart(Exception):
    """This machine cannot run the topology, for a reason that the message says."""


class Ended(Exception):
    """A service ended that should go on."""


@dataclass
class Production:
    """The running topology."""

    folder: Path
    variables: dict[str, str]
    addresses: dict[str, str]
    """Where something is in Compose's network -> where it is here."""
    redis_port: str
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return self.variables["WHETSTONE_PUBLIC_URL"]

    @property
    def settings(self) -> dict[str, str]:
        """The environment in which `python manage.py ...` speaks to this platform."""
        return self.environment_of(read_services(self.variables)["web"], "")

    def log_of(self, name: str) -> Path:
        return self.folder / "logs" / f"{name}.log"

    def start(self, workers: int) -> None:
        """Start every service in its order, waiting for what it depends on."""
        services = read_services(self.variables)
        for service in services.values():
            if not service.command:
                continue  # PostgreSQL: the machine's own
            self._await_dependencies(service, services)
            for suffix in replicas(workers if service.name == "worker" else 1):
                self.processes[service.name + suffix] = self._spawn(service, suffix)

    def _await_dependencies(self, service: Service, services: dict[str, Service]) -> None:
        for name, condition in service.depends_on.items():
            if condition == "service_completed_successfully":
                self._await_completion(name)
            elif name in self.processes:
                self._await_health(services[name])

    def _await_completion(self, name: str) -> None:
        if self.processes[name].wait(READY_S) != 0:
            raise Ended(self._obituary(name))

    def _await_health(self, service: Service) -> None:
        environment = self.environment_of(service, "")
        give_up = time.monotonic() + READY_S
        while subprocess.run(self._check(service), env=environment, capture_output=True, check=False).returncode != 0:
            if self.processes[service.name].poll() is not None or time.monotonic() > give_up:
                raise Ended(self._obituary(service.name))
            time.sleep(0.1)

    def _check(self, service: Service) -> list[str]:
        kind, *words = map(self.translate, service.healthcheck)
        return ["sh", "-c", *words] if kind == "CMD-SHELL" else words

    def _spawn(self, service: Service, suffix: str) -> subprocess.Popen[bytes]:
        log = self.log_of(service.name + suffix)
        log.parent.mkdir(exist_ok=True)
        command = [self.translate(word) for word in service.command]
        if service.name == "redis":
            place = self._place_of(service, "/data", suffix)
            command += ["--bind", "127.0.0.1", "--port", self.redis_port, "--dir", str(place)]
        with log.open("wb") as output:
            return subprocess.Popen(
                command,
                cwd=ROOT,
                env=self.environment_of(service, suffix),
                stdout=output,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                start_new_session=True,  # Ctrl-C reaches us alone, and we stop them in order
            )

    def environment_of(self, service: Service, suffix: str) -> dict[str, str]:
        """What the container would see, with this machine's addresses and folders."""
        environment = {
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "HOME": str(self.folder),
            "LANG": os.environ.get("LANG", "C.UTF-8"),
        }
        for name, value in service.environment.items():
            place = self._place_of(service, value, suffix) if value in service.volumes else None
            environment[name] = str(place or self.translate(value))
        if service.name in ("worker", "engine"):
            environment["WHETSTONE_WORKER_NAME"] = f"{service.name}{suffix}"  # a container's is its host name
        if service.name == "redis":
            environment["REDISCLI_PORT"] = self.redis_port
        return environment

    def _place_of(self, service: Service, volume: str, suffix: str) -> Path:
        place = self.folder / "volumes" / (service.volumes[volume] or f"{service.name}{suffix}")
        place.mkdir(parents=True, exist_ok=True)
        return place

    def translate(self, text: str) -> str:
        """A word of docker-compose.yml with the addresses of this machine."""
        whole = {"8000": str(urlsplit(self.url).port), "0.0.0.0": "127.0.0.1"}
        if text in whole:
            return whole[text]
        return re.sub("|".join(map(re.escape, self.addresses)), lambda found: self.addresses[found[0]], text)

    def watch(self) -> NoReturn:
        """Return never. Raises Ended when a service ends that should go on."""
        while True:
            for name, process in self.processes.items():
                if name != "migrate" and process.poll() is not None:
                    raise Ended(self._obituary(name))
            time.sleep(0.5)

    def _obituary(self, name: str) -> str:
        end = self.log_of(name).read_text(errors="replace").splitlines()[-20:]
        return f"{name} ended or did not become ready. The end of its log:\n" + "\n".join(end)

    def stop(self) -> None:
        """Stop them in the reverse order, each with all that it started."""
        for process in reversed(self.processes.values()):
            process.terminate()
            try:
                process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                pass  # the SIGKILL below is for this one too
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


@contextmanager
def production(workers: int = 1, **variables: str) -> Iterator[Production]:
    """The topology while the block runs. `variables` are what `.env` would say.

    Raises:
        CannotStart: when PostgreSQL or redis-server is missing here.
        Ended: when a service does not come up.
    """
    server, redis = machine.postgres(), machine.redis_server()
    if server is None or redis is None:
        raise CannotStart("This needs a PostgreSQL that lets databases be made, and the program redis-server.")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="whetstone-production-")))
        owner, password = stack.enter_context(machine.fresh_owner(server))
        web, redis_port = f"127.0.0.1:{machine.free_port()}", str(machine.free_port())
        written = {
            "POSTGRES_USER": owner,
            "POSTGRES_DB": owner,
            "POSTGRES_PASSWORD": password,
            "REDIS_PASSWORD": token_hex(16),
            "WHETSTONE_SECRET_KEY": token_hex(32),
            "WHETSTONE_WORKER_TOKEN": token_hex(32),
            "WHETSTONE_PUBLIC_URL": f"http://{web}",
        }
        addresses = {
            "@postgres:5432": f"@{_host_of(server)}",
            "@redis:6379": f"@127.0.0.1:{redis_port}",
            "//web:8000": f"//{web}",
            "//127.0.0.1:8000": f"//{web}",
        }
        here = Production(folder, written | variables, addresses, redis_port)
        stack.callback(here.stop)
        here.start(workers)
        yield here


def _host_of(server: str) -> str:
    """Roles made here have a password, and PostgreSQL takes passwords over TCP, not over its socket."""
    place = urlsplit(server)
    return f"{place.hostname or '127.0.0.1'}:{place.port or 5432}"


def main() -> int:
    """Run until Ctrl-C, or until a service ends by itself."""
    parser = argparse.ArgumentParser(prog="python -m scripts.production_here", description=__doc__)
    parser.add_argument("--workers", type=int, default=1, help="how many workers to start")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with production(arguments.workers) as here:
            print(f"Whetstone is at {here.url}  (Ctrl-C stops it; logs: {here.folder / 'logs'})")
            print("For management commands:", flush=True)
            print("  " + " ".join(f"{name}={shlex.quote(value)}" for name, value in here.settings.items()), flush=True)
            here.watch()
    except KeyboardInterrupt:
        return 0
    except (CannotStart, Ended) as error:
        print(error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
