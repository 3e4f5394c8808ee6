"""A web process that is told to stop lets its streams end, and the browsers come back to the next one."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from contracts.completion import Delta
from tests.whetstone.serving import ROOT, environment_of, manage, serving
from tests.whetstone.spoken_host import NAME, SpokenHost, make_served, pieces

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


def test_an_answer_is_written_to_its_end_by_the_only_process(environment: dict[str, str]) -> None:
    """Its pieces come in by new requests, while the process is told to stop. Who asks then is told to come again."""
    environment |= {"WHETSTONE_WORKER_TOKEN": "worker-token-of-a-test"}
    key = make_served(environment)
    question = {"model": NAME, "messages": [{"role": "user", "content": "?"}], "stream": True}
    with (
        serving(environment) as (process, url),
        httpx.Client(trust_env=False, headers={"authorization": f"Bearer {key}"}, timeout=20) as http,
        ThreadPoolExecutor(1) as threads,
    ):
        host = SpokenHost(url, "worker-token-of-a-test")
        host.attend()
        answer = threads.submit(lambda: http.post(f"{url}/v1/chat/completions", json=question).text)
        ask = host.take()
        host.tell(ask, *pieces(2))
        process.send_signal(signal.SIGTERM)
        time.sleep(0.5)
        late = httpx.post(f"{url}/v1/chat/completions", json=question, headers=http.headers, trust_env=False)
        assert (late.status_code, "retry-after" in late.headers) == (503, True)
        for _ in range(3):
            SpokenHost(url, host.token, number=host.number).tell(ask, *pieces(1))
            host.number += 1
        host.tell(ask, Delta(ask="", text="end", tokens=1, finish="stop"))
        read = answer.result(20)
        assert (read.count('"x"'), '"end"' in read, "[DONE]" in read) == (5, True, True)
        assert process.wait(10) is not None
