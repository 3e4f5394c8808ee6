"""A web process that is told to stop lets its streams end, and the browsers come back to the next one."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.whetstone.serving import ROOT, environment_of, manage, serving

MAKE_JOB = """
import django; django.setup()
from tests.whetstone.factories import make_job, make_key
print(make_key(), make_job().id)
"""


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    environment = environment_of(tmp_path)
    assert manage(environment, "migrate", "-v0").returncode == 0
    return environment


def test_a_stream_ends_at_once_and_does_not_say_that_the_job_has(environment: dict[str, str]) -> None:
    made = subprocess.run([sys.executable, "-c", MAKE_JOB], cwd=ROOT, env=environment, capture_output=True, check=True)
    key, job = made.stdout.decode().split()
    with (
        serving(environment) as (process, url),
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


def test_a_request_that_had_begun_is_answered(environment: dict[str, str]) -> None:
    made = subprocess.run([sys.executable, "-c", MAKE_JOB], cwd=ROOT, env=environment, capture_output=True, check=True)
    key, job = made.stdout.decode().split()
    with serving(environment) as (process, url):

        def pieces() -> Iterator[bytes]:
            yield b'{"suffix": '
            process.send_signal(signal.SIGTERM)
            time.sleep(0.5)
            yield b'"x"}'

        headers = {"authorization": f"Bearer {key}", "content-type": "application/json"}
        address = f"{url}/v1/fine_tuning/jobs/{job}/cancel"
        answer = httpx.post(address, content=pieces(), headers=headers, trust_env=False, timeout=20)
        process.wait(10)
    assert answer.json()["status"] == "cancelled"
