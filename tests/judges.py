"""Real servers on loopback: judges, embedding models and web services that answer as they are told."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Said = tuple[int, dict[str, str], bytes]
"""Status, headers, body."""


@dataclass
class Asked:
    """A request as it came."""

    path: str
    headers: dict[str, str]
    body: Any  # Any: JSON
    raw: bytes = b""


@dataclass
class Server:
    """What it was asked, and what it answers."""

    port: int
    answer: Callable[[Asked], Said]
    asked: list[Asked] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def serving(answer: Callable[[Asked], Said]) -> Iterator[Server]:
    """A server for as long as the block lasts. An answer of status 0 is written raw: its body is the whole of it."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers.get("content-length", "0")))
            request = Asked(self.path, {k.lower(): v for k, v in self.headers.items()}, json.loads(raw), raw)
            server.asked.append(request)
            status, headers, body = server.answer(request)
            try:
                self._say(status, headers, body)
            except OSError:
                self.close_connection = True  # whoever asked has gone

        def _say(self, status: int, headers: dict[str, str], body: bytes) -> None:
            if status == 0:
                self.wfile.write(body)
                self.close_connection = True
                return
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Nothing."""

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    http.daemon_threads = True
    server = Server(http.server_address[1], answer)
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        http.shutdown()
        http.server_close()
        thread.join()


def said(body: object, status: int = 200, **headers: str) -> Said:
    return status, {name.replace("_", "-"): value for name, value in headers.items()}, json.dumps(body).encode()


def completion(content: str | None, *, finish: str = "stop", refusal: str | None = None) -> Said:
    """A chat completion of ten tokens to read and four written."""
    message = {"role": "assistant", "content": content, "refusal": refusal}
    usage = {"prompt_tokens": 10, "completion_tokens": 4, "prompt_tokens_details": {"cached_tokens": 2}}
    return said({"choices": [{"index": 0, "message": message, "finish_reason": finish}], "usage": usage})


def judgement(result: object) -> Said:
    steps = [{"description": "Compare.", "conclusion": "It fits."}]
    return completion(json.dumps({"steps": steps, "result": result}))


def last_words(asked: Asked) -> str:
    """The text of the last message."""
    return str(asked.body["messages"][-1]["content"])
