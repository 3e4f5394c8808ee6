"""A web process of its own, in a home of its own: what a test client inside our own process cannot show."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import pytest

ROOT = Path(__file__).resolve().parents[2]
Web = tuple[subprocess.Popen[bytes], str]


def environment_of(home: Path, database_url: str | None = None) -> dict[str, str]:
    """For every process of a platform that lives there; without a database's address on SQLite."""
    inherited = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    own = {"WHETSTONE_HOME": str(home), "PYTHONPATH": f"{ROOT / 'platform'}:{ROOT}"}
    database = {"DATABASE_URL": database_url} if database_url else {}
    return inherited | own | database | {"DJANGO_SETTINGS_MODULE": "whetstone.settings"}


def manage(environment: dict[str, str], *arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "manage.py", *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


@contextmanager
def serving(environment: dict[str, str], module: str = "whetstone.asgi", processes: int = 1) -> Iterator[Web]:
    """The process and its address, once it answers. Of several it is the one that keeps the others running."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    serve = f"-m uvicorn {module}:application --no-access-log --port {port} --timeout-graceful-shutdown 30"
    command = [sys.executable, *serve.split(), "--workers", str(processes)]
    with subprocess.Popen(command, cwd=ROOT, env=environment, start_new_session=True) as process:
        try:
            _await(f"http://127.0.0.1:{port}")
            yield process, f"http://127.0.0.1:{port}"
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def _await(url: str) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            httpx.get(f"{url}/healthz", trust_env=False)
        except httpx.TransportError:
            time.sleep(0.05)
        else:
            return
    pytest.fail("the web process did not come up")


def resident_mb(pid: int) -> tuple[float, float]:
    """Memory of a process: now, and the most it ever had."""
    status = Path(f"/proc/{pid}/status").read_text()
    now, peak = (int(status.split(f"{name}:")[1].split()[0]) / 1024 for name in ("VmRSS", "VmHWM"))
    return now, peak
