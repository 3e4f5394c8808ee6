"""Clients that open a stream and do not read it, at a real server with real sockets."""

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from urllib.parse import urlsplit

import httpx
import pytest

from contracts.completion import Ask, Cancel, Delta
from tests.whetstone.serving import environment_of, manage, resident_mb, serving
from tests.whetstone.spoken_host import NAME, SpokenHost, make_served, pieces

TOKEN = "worker-token-of-a-test"
SMALL = 4096
"""Bytes that a client's kernel takes in for it."""


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    made = environment_of(tmp_path_factory.mktemp("home")) | {"WHETSTONE_WORKER_TOKEN": TOKEN}
    assert manage(made, "migrate", "-v0").returncode == 0
    return made


@pytest.fixture(scope="module")
def key(environment: dict[str, str]) -> str:
    return make_served(environment)


@pytest.fixture(scope="module")
def web(environment: dict[str, str], key: str) -> Iterator[tuple[int, str]]:
    with serving(environment, "tests.whetstone.hurried") as (process, url):
        yield process.pid, url


@pytest.fixture(scope="module")
def host(web: tuple[int, str]) -> SpokenHost:
    started = SpokenHost(web[1], TOKEN)
    started.attend()
    return started


def open_stream(url: str, key: str) -> socket.socket:
    """A client whose kernel takes little in for it."""
    raw = socket.socket()
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL)
    raw.settimeout(20)
    raw.connect((urlsplit(url).hostname, urlsplit(url).port))
    body = json.dumps({"model": NAME, "messages": [{"role": "user", "content": "?"}], "stream": True}).encode()
    head = f"POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {key}\r\n"
    head += f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    raw.sendall(head.encode() + body)
    return raw


def flood(host: SpokenHost, ask: Ask, megabytes: int) -> None:
    for _ in range(megabytes):
        host.tell(ask, *pieces(16, letters=65_536))


def test_who_reads_nothing_is_let_go_and_holds_no_memory(web: tuple[int, str], host: SpokenHost, key: str) -> None:
    pid, url = web
    with open_stream(url, key):
        ask = host.take()
        before, _ = resident_mb(pid)
        flood(host, ask, 150)
        cancel = host.letter(Cancel)
        assert cancel.id == ask.id
        assert resident_mb(pid)[1] - before < 100, "without a bound it is 160"
        assert answers(url, key, host), "nobody else is held up"


def test_a_byte_now_and_then_is_not_reading(web: tuple[int, str], host: SpokenHost, key: str) -> None:
    """What waits is less than may, so it is the time that counts."""
    _, url = web
    with open_stream(url, key) as raw:
        ask = host.take()
        flood(host, ask, 3)
        drip = threading.Thread(target=dripping, args=[raw])
        drip.start()
        cancel = host.letter(Cancel)
        assert cancel.id == ask.id
        raw.shutdown(socket.SHUT_RDWR)
        drip.join(10)


def dripping(raw: socket.socket) -> None:
    with suppress(OSError):
        while raw.recv(1):
            time.sleep(0.1)


def test_who_comes_back_too_late_is_told_why(web: tuple[int, str], host: SpokenHost, key: str) -> None:
    _, url = web
    with open_stream(url, key) as raw:
        ask = host.take()
        flood(host, ask, 40)
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        read = b""
        while (more := raw.recv(1 << 20)) and b"[DONE]" not in read[-100:]:
            read = read[-1000:] + more
            if b"completion.unread" in read:
                break
        assert b"completion.unread" in read


def test_who_reads_slowly_but_reads_gets_all_of_it(web: tuple[int, str], host: SpokenHost, key: str) -> None:
    _, url = web
    with open_stream(url, key) as raw:
        ask = host.take()
        for _ in range(20):
            host.tell(ask, *pieces(8, letters=8192))
            read_some(raw, 60_000)
        host.tell(ask, Delta(ask="", text="end", tokens=1, finish="stop"))
        read = b""
        while b"[DONE]" not in read[-200:]:
            more = raw.recv(1 << 20)
            assert more
            read = read[-200:] + more


def read_some(raw: socket.socket, size: int) -> None:
    while size > 0:
        size -= len(raw.recv(size))
        time.sleep(0.005)


def answers(url: str, key: str, host: SpokenHost) -> str:
    """What somebody reads who asks meanwhile."""
    found: list[str] = []

    def ask() -> None:
        body = {"model": NAME, "messages": [{"role": "user", "content": "?"}]}
        headers = {"authorization": f"Bearer {key}"}
        answer = httpx.post(f"{url}/v1/chat/completions", json=body, headers=headers, trust_env=False, timeout=20)
        found.append(answer.json()["choices"][0]["message"]["content"])

    asking = threading.Thread(target=ask)
    asking.start()
    host.tell(host.take(), Delta(ask="", text="here", tokens=1, finish="stop"))
    asking.join(20)
    return found[0]
