"""A model hub on loopback that speaks the few routes of Hugging Face's that an import asks for."""

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

COMMIT = "a" * 40


@dataclass
class ModelHub:
    """One model, `org/tiny`, from a folder; and what may go wrong with it."""

    folder: Path
    port: int = 0
    token: str = ""
    """Without it the model is not shown to anybody."""
    status: int = 0
    """Answered to everything, where it is not 0."""
    error_code: str = ""
    torn_after: int = 0
    """The next file longer than this breaks off after so many bytes, once."""
    asked: list[tuple[str, str]] = field(default_factory=list)
    """Paths, and the ranges that were asked for."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def info(self) -> dict[str, Any]:
        return {"id": "org/tiny", "sha": COMMIT, "siblings": [self._sibling(path) for path in self._files()]}

    def _files(self) -> list[Path]:
        return sorted(path for path in self.folder.rglob("*") if path.is_file())

    def _sibling(self, path: Path) -> dict[str, Any]:
        told: dict[str, Any] = {"rfilename": path.relative_to(self.folder).as_posix(), "size": path.stat().st_size}
        if path.suffix == ".safetensors":
            sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
            told["lfs"] = {"sha256": sha256, "size": path.stat().st_size, "pointerSize": 1}
        return told


@contextmanager
def serving_models(folder: Path, **about: Any) -> Iterator[ModelHub]:
    hub = ModelHub(folder, **about)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            span = self.headers.get("range", "")
            hub.asked.append((self.path, span))
            is_let_in = not hub.token or self.headers.get("authorization") == f"Bearer {hub.token}"
            if hub.status or not is_let_in:
                return self._say(hub.status or 401, b"{}", **{"X-Error-Code": hub.error_code})
            if self.path.startswith("/api/models/org/tiny/revision/"):
                if self.path.split("?")[0].rpartition("/")[2] not in ("main", COMMIT):
                    return self._say(404, b"{}", **{"X-Error-Code": "RevisionNotFound"})
                return self._say(200, json.dumps(hub.info()).encode(), **{"Content-Type": "application/json"})
            file = hub.folder / self.path.removeprefix(f"/org/tiny/resolve/{COMMIT}/")
            if not file.is_file():
                return self._say(404, b"{}", **{"X-Error-Code": "RepoNotFound"})
            self._send(file.read_bytes(), int(span.removeprefix("bytes=").rstrip("-") or 0))

        def _send(self, content: bytes, first: int) -> None:
            self.send_response(206 if first else 200)
            self.send_header("Content-Length", str(len(content) - first))
            self.end_headers()
            if 0 < hub.torn_after < len(content) - first:
                self.wfile.write(content[first : first + hub.torn_after])
                hub.torn_after, self.close_connection = 0, True
                return
            self.wfile.write(content[first:])

        def _say(self, status: int, body: bytes, **headers: str) -> None:
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Nothing."""

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    http.daemon_threads = True
    hub.port = http.server_address[1]
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        http.shutdown()
        http.server_close()
        thread.join()
