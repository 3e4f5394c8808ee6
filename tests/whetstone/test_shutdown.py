"""A web process that is told to stop lets its streams end, and the browsers come back to the next one."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

ROOT = Path(__file__).resolve().parents[2]
MAKE_JOB = """
import django; django.setup()
from tests.whetstone.factories import make_job, make_key
print(make_key(), make_job().id)
"""


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    paths = {"WHETSTONE_HOME": str(tmp_path), "PYTHONPATH": f"{ROOT / 'platform'}:{ROOT}"}
    return inherited | paths | {"DJANGO_SETTINGS_MODULE": "whetstone.settings"}


@pytest.fixture
def web(environment: dict[str, str]) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    subprocess.run([sys.executable, "manage.py", "migrate", "-v0"], cwd=ROOT, env=environment, check=True)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    serve = f"-m uvicorn whetstone.asgi:application --port {port} --timeout-graceful-shutdown 30"
    with subprocess.Popen([sys.executable, *serve.split()], cwd=ROOT, env=environment) as process:
        yield process, f"http://127.0.0.1:{port}"
        process.kill()


def await_ready(url: str) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            httpx.get(f"{url}/healthz", trust_env=False)
        except httpx.TransportError:
            time.sleep(0.05)
        else:
            return
    pytest.fail("the web process did not come up")


def test_a_stream_ends_at_once_and_does_not_say_that_the_job_has(
    web: tuple[subprocess.Popen[bytes], str], environment: dict[str, str]
) -> None:
    process, url = web
    made = subprocess.run([sys.executable, "-c", MAKE_JOB], cwd=ROOT, env=environment, capture_output=True, check=True)
    key, job = made.stdout.decode().split()
    await_ready(url)
    with (
        httpx.Client(trust_env=False, headers={"authorization": f"Bearer {key}"}, timeout=20) as http,
        http.stream("GET", f"{url}/api/v1/jobs/{job}/live") as stream,
    ):
        lines = stream.iter_lines()
        assert "id: 1" in (next(lines), next(lines), next(lines))
        process.send_signal(signal.SIGTERM)
        begin = time.monotonic()
        rest = list(lines)
    process.wait(10)
    assert time.monotonic() - begin < 5
    assert "event: end" not in rest
