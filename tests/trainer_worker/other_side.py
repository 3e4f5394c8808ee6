"""The platform's end of the Worker API, small and honest: it stores blobs, hands out claims, records reports."""

import hashlib
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from contracts.event import Claim, ClaimRequest, Hello, Order, Release, Reply, Report, Reports, ResumePoint
from contracts.job import FileRef
from contracts.reach import Reach
from contracts.work import Spec

JOIN_TOKEN = "join"
NOT_YOURS = b'{"error": {"message": "This API key is not valid."}}'


class OtherSide:
    """What the tests look at."""

    def __init__(self) -> None:
        self.blobs: dict[str, bytes] = {}
        self.waiting: deque[Claim] = deque()
        self.tokens: dict[str, str] = {}
        self.reports: list[Report] = []
        self.arrived_at: list[float] = []
        self.batches = 0
        self.hellos: list[Hello] = []
        self.claims: list[ClaimRequest] = []
        self.releases: list[Release] = []
        self.order: Order = "go_on"
        self.lease_s = 60.0
        self.is_down = False
        self.is_faint = False
        """It answers, but no file comes."""
        self.is_mute = False
        """It hears and records every request, and answers none."""
        self.strange_answer: tuple[int, bytes] | None = None
        """What a proxy in between says instead of passing a report on."""
        self.refuses: Callable[[tuple[Report, ...]], bool] = lambda reports: False
        """Which batches it takes for invalid."""
        self.is_full = False
        """Its disk has no room for a file."""
        self.reach = Reach()
        self.reach_asked = 0
        self.url = ""
        self._changed = threading.Condition()

    def store(self, data: bytes, path: str) -> FileRef:
        digest = hashlib.sha256(data).hexdigest()
        self.blobs[digest] = data
        return FileRef(path=path, sha256=digest, size=len(data))

    def store_folder(self, folder: Path) -> tuple[FileRef, ...]:
        files = (path for path in sorted(folder.rglob("*")) if path.is_file())
        return tuple(self.store(path.read_bytes(), str(path.relative_to(folder))) for path in files)

    def queue(
        self,
        spec: Spec,
        attempt: int = 1,
        resume: ResumePoint | None = None,
        trained_tokens: int = 0,
    ) -> None:
        token = f"claim-{spec.job}-{attempt}"
        self.tokens[spec.job] = token
        claim = Claim(
            attempt=attempt, token=token, lease_s=self.lease_s, spec=spec, resume=resume, trained_tokens=trained_tokens
        )
        self.waiting.append(claim)

    def events(self, kind: str) -> list[Any]:  # Any: events of that type
        return [report.event for report in list(self.reports) if report.event.type == kind]

    def resume_point(self) -> ResumePoint:
        """Its last checkpoint."""
        saved = self.events("checkpoint")[-1]
        return ResumePoint(step=saved.step, files=saved.files)

    def wait_for(self, happened: Callable[["OtherSide"], bool], timeout_s: float = 60.0) -> None:
        """Until it has happened. Fails with the log of the training otherwise."""
        deadline = time.monotonic() + timeout_s
        with self._changed:
            while not happened(self):
                left = deadline - time.monotonic()
                assert left > 0, "did not happen; the training said:\n" + self.log
                self._changed.wait(left)

    def wait_for_end(self, timeout_s: float = 60.0) -> Any:  # Any: one of the three last events
        self.wait_for(lambda side: bool(side._ends()), timeout_s)
        return self._ends()[0]

    def _ends(self) -> list[Any]:
        return [e for kind in ("finished", "evaluated", "failed", "stopped") for e in self.events(kind)]

    @property
    def log(self) -> str:
        lines = [event.text for event in self.events("log")]
        return "\n".join(lines + [str(event) for event in self._ends()])

    def greet(self, hello: Hello) -> None:
        with self._changed:
            self.hellos.append(hello)
            self._changed.notify_all()

    def release(self, release: Release) -> None:
        with self._changed:
            self.releases.append(release)
            self._changed.notify_all()

    def record(self, reports: Reports) -> Reply:
        with self._changed:
            known = {report.seq for report in self.reports}
            fresh = [report for report in reports.reports if report.seq not in known]
            self.reports.extend(fresh)
            self.arrived_at.extend(time.time() for _ in fresh)
            self.batches += 1
            self._changed.notify_all()
        return Reply(order=self.order, lease_s=self.lease_s)


class Door(BaseHTTPRequestHandler):
    side: OtherSide

    def do_POST(self) -> None:
        body = self._body()
        if self.side.is_down:
            return self._answer(503)
        if self.path == "/api/worker/hello":
            self.side.greet(Hello.model_validate_json(body))
            return self._answer(204)
        if self.path == "/api/worker/release":
            self.side.release(Release.model_validate_json(body))
            return self._answer(204 if self._is_member() else 401)
        if self.path == "/api/worker/claim":
            return self._claim(ClaimRequest.model_validate_json(body))
        if not self._holds_claim():
            return self._answer(401, NOT_YOURS)
        if self.side.strange_answer:
            return self._answer(*self.side.strange_answer)
        reports = Reports.model_validate_json(body)
        if self.side.refuses(reports.reports):
            return self._answer(400, b'{"error": {"message": "that is not in the store"}}')
        self._answer(200, self.side.record(reports).model_dump_json().encode())

    def do_PUT(self) -> None:
        data = self._body()
        if self.side.is_down or not self._holds_claim():
            return self._answer(503 if self.side.is_down else 401)
        if self.side.is_full:
            return self._answer(507)
        if hashlib.sha256(data).hexdigest() != self._blob:
            return self._answer(400)
        self.side.blobs[self._blob] = data
        self._answer(201)

    def do_GET(self) -> None:
        if not self._holds_claim():
            return self._answer(401)
        if self.side.is_faint:
            return self._answer(503)
        if self.path.endswith("/reach"):
            self.side.reach_asked += 1
            return self._answer(200, self.side.reach.model_dump_json().encode())
        self._answer(200 if self._blob in self.side.blobs else 404, self.side.blobs.get(self._blob, b""))

    do_HEAD = do_GET

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet."""

    @property
    def _blob(self) -> str:
        return self.path.rsplit("/", 1)[1]

    def _holds_claim(self) -> bool:
        job = self.path.split("/")[4]
        return self.headers["Authorization"] == f"Bearer {self.side.tokens.get(job)}"

    def _claim(self, asked: ClaimRequest) -> None:
        self.side.claims.append(asked)
        if not self._is_member():
            return self._answer(401)
        if not self.side.waiting:
            return self._answer(204)
        self._answer(200, self.side.waiting.popleft().model_dump_json().encode())

    def _is_member(self) -> bool:
        return self.headers["Authorization"] == f"Bearer {JOIN_TOKEN}"

    def _body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def _answer(self, status: int, body: bytes = b"") -> None:
        if self.side.is_mute:
            self.close_connection = True
            return
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


@contextmanager
def other_side() -> Iterator[OtherSide]:
    side = OtherSide()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("DoorOfTest", (Door,), {"side": side}))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    side.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield side
    finally:
        server.shutdown()
        server.server_close()
