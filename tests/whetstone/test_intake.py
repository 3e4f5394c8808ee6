"""Bodies that are too large or too slow, at a real server."""

import asyncio
import json
import socket
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from tests.whetstone.serving import environment_of, manage, serving
from whetstone.api.intake import with_limits

MB = 1024 * 1024
JOBS = "/v1/fine_tuning/jobs"


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    environment = environment_of(tmp_path_factory.mktemp("home")) | {"WHETSTONE_MAX_UPLOAD_MB": "20"}
    assert manage(environment, "migrate").returncode == 0
    with serving(environment) as (_process, url):
        yield url


def error_of(answer: httpx.Response, status: int) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.headers["x-request-id"]
    error: dict[str, Any] = answer.json()["error"]
    assert {"message", "type", "param", "code"} <= set(error)
    return error


def zeros(megabytes: int) -> Iterator[bytes]:
    for _ in range(megabytes):
        yield bytes(MB)


def test_a_body_that_says_it_is_too_large_is_refused_before_it_came(url: str) -> None:
    with socket.create_connection((urlsplit(url).hostname or "", urlsplit(url).port or 0), timeout=10) as raw:
        raw.sendall(f"POST {JOBS} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {11 * MB}\r\n\r\n".encode())
        assert raw.recv(100).startswith(b"HTTP/1.1 413 ")


def test_a_client_that_sends_all_of_it_still_reads_the_answer(url: str) -> None:
    answer = httpx.post(f"{url}{JOBS}", content=bytes(40 * MB), trust_env=False)
    assert error_of(answer, 413)["code"] == "body.too_large"
    assert "10 MB" in answer.json()["error"]["message"]


def test_a_body_of_unknown_length_is_refused_while_it_comes(url: str) -> None:
    answer = httpx.post(f"{url}{JOBS}", content=zeros(40), trust_env=False)
    assert error_of(answer, 413)["code"] == "body.too_large"


def test_files_have_a_limit_of_their_own(url: str) -> None:
    kept = httpx.post(f"{url}/v1/files", files={"file": ("x", bytes(15 * MB))}, trust_env=False)
    assert error_of(kept, 401)["code"] == "auth.missing"
    refused = httpx.post(f"{url}/v1/files", files={"file": ("x", bytes(30 * MB))}, trust_env=False)
    assert "20 MB" in error_of(refused, 413)["message"]


def test_workers_send_as_much_as_the_disk_takes(url: str) -> None:
    answer = httpx.put(f"{url}/api/worker/jobs/x/blobs/{'0' * 64}", content=bytes(25 * MB), trust_env=False)
    assert error_of(answer, 401)


@pytest.mark.parametrize("path", ["/v1/models", JOBS, "/v1/files", "/api/v1/jobs/check"])
@pytest.mark.parametrize("verb", ["GET", "POST", "PATCH"])
def test_a_slash_at_the_end_is_never_redirected(url: str, path: str, verb: str) -> None:
    answer = httpx.request(verb, f"{url}{path}/", trust_env=False, follow_redirects=False)
    assert answer.status_code in (401, 404, 405)
    assert error_of(answer, answer.status_code)


def test_a_client_that_falls_silent_in_the_midst_of_its_body_is_let_go() -> None:
    sent: list[Mapping[str, Any]] = []
    parts = [{"type": "http.request", "body": b"{", "more_body": True}]

    async def receive() -> Mapping[str, Any]:
        return parts.pop(0) if parts else await asyncio.Future[Mapping[str, Any]]()

    async def send(message: Mapping[str, Any]) -> None:
        sent.append(message)

    async def reading(scope: Any, receive: Any, send: Any) -> None:
        while (await receive())["more_body"]:
            pass

    scope = {"type": "http", "path": JOBS, "headers": []}
    asyncio.run(with_limits(reading, stall_s=0.01)(scope, receive, send))
    assert sent[0]["status"] == 408
    assert json.loads(sent[1]["body"])["error"]["code"] == "body.too_slow"


def test_a_body_that_is_complete_may_be_thought_about_for_long() -> None:
    """Django goes on listening for the client's leaving, while it works."""
    parts = [{"type": "http.request", "body": b"{}", "more_body": False}]

    async def receive() -> Mapping[str, Any]:
        if parts:
            return parts.pop(0)
        await asyncio.sleep(0.05)
        return {"type": "http.disconnect"}

    async def working(scope: Any, receive: Any, send: Any) -> None:
        assert (await receive())["body"] == b"{}"
        assert (await receive())["type"] == "http.disconnect"

    async def send(message: Mapping[str, Any]) -> None:
        raise AssertionError(message)

    asyncio.run(with_limits(working, stall_s=0.01)({"type": "http", "path": JOBS, "headers": []}, receive, send))


def test_the_home_of_uploads_is_not_filled_by_what_is_refused(tmp_path: Path) -> None:
    environment = environment_of(tmp_path) | {"WHETSTONE_MAX_UPLOAD_MB": "1"}
    assert manage(environment, "migrate").returncode == 0
    with serving(environment) as (_process, url):
        httpx.post(f"{url}/v1/files", files={"file": ("x", bytes(8 * MB))}, trust_env=False)
    assert sum(path.stat().st_size for path in (tmp_path / "incoming").rglob("*")) == 0
