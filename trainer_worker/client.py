"""The platform, as a worker sees it: seven requests over HTTP."""

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
from pydantic import ValidationError

from contracts.event import Claim, ClaimRequest, Hello, Release, Reply, Reports
from contracts.job import FileRef
from contracts.reach import Reach

CHUNK = 1 << 20
REPORT_TIMEOUT_S = 10.0
TRANSFER_TIMEOUT_S = 120.0


class Unreachable(Exception):
    """The platform did not answer, or answered that it cannot now. Trying again may help."""


class Full(Unreachable):
    """The platform has no room for a file. Trying again helps once somebody has made some."""


class Refused(Exception):
    """The platform understood and said no. Trying again will not help."""

    def __init__(self, sentence: str, status: int = 0, said: str = "") -> None:
        super().__init__(sentence)
        self.status = status
        self.said = said
        """The platform's own words, when it was the platform that answered."""


class Platform:
    """What any worker may ask, with the join token."""

    def __init__(self, url: str, token: str) -> None:
        self.url = url
        self._http = http_client(url, token)

    def hello(self, hello: Hello) -> None:
        checked(send(self._http, "POST", "/api/worker/hello", content=hello.model_dump_json()))

    def release(self, worker: str, instance: str) -> None:
        """Give up what a former worker of this scratch folder held."""
        body = Release(worker=worker, instance=instance).model_dump_json()
        checked(send(self._http, "POST", "/api/worker/release", content=body))

    def claim(self, worker: str, pool: str, instance: str) -> Claim | None:
        """A job for this attempt alone, or None when nothing waits."""
        body = ClaimRequest(worker=worker, pool=pool, instance=instance).model_dump_json()
        answer = checked(send(self._http, "POST", "/api/worker/claim", content=body))
        return None if answer.status_code == 204 else Claim.model_validate_json(answer.content)

    def attempt(self, claim: Claim) -> "AttemptPlatform":
        return AttemptPlatform(self.url, claim.spec.job, claim.token)


class Blobs:
    """Files of the artifact store that lie under one address, for whoever has the token to it."""

    def __init__(self, url: str, path: str, token: str) -> None:
        self._http = http_client(url, token)
        self._path = path

    def download(self, ref: FileRef, to: Path, between_chunks: Callable[[], None] = lambda: None) -> None:
        """Write a blob to a file. Raises Refused when its bytes are not those that were named."""
        digest = hashlib.sha256()
        with to.open("wb") as file:
            for chunk in self._blob(ref):
                between_chunks()
                digest.update(chunk)
                file.write(chunk)
        if digest.hexdigest() != ref.sha256:
            raise Refused(f"{ref.path} arrived damaged: its checksum is not {ref.sha256}")

    def _blob(self, ref: FileRef) -> Iterator[bytes]:
        try:
            with self._http.stream("GET", f"{self._path}/blobs/{ref.sha256}") as answer:
                if answer.has_redirect_location:
                    yield from _presigned(answer.headers["location"])
                    return
                checked(answer)
                yield from answer.iter_bytes(CHUNK)
        except httpx.TransportError as error:
            raise Unreachable(str(error)) from error

    def close(self) -> None:
        self._http.close()


class AttemptPlatform(Blobs):
    """What one attempt may ask for its job, with the claim's token."""

    def __init__(self, url: str, job: str, token: str) -> None:
        super().__init__(url, f"/api/worker/jobs/{job}", token)

    def report(self, reports: Reports, timeout_s: float) -> Reply:
        """Raises Refused with the platform's words. What something between us says, be it yes or no, is no answer."""
        answer = send(self._http, "POST", f"{self._path}/events", content=reports.model_dump_json(), timeout=timeout_s)
        try:
            return Reply.model_validate_json(checked(answer).content)
        except ValidationError as error:
            raise Unreachable(f"not the platform's answer: {answer.text[:200]}") from error
        except Refused as error:
            if not error.said:
                raise Unreachable(str(error)) from error
            raise

    def reach(self) -> Reach:
        """The judges that the job's grader asks, with their keys. Raises Unreachable or Refused."""
        return Reach.model_validate_json(checked(send(self._http, "GET", f"{self._path}/reach")).content)

    def upload(self, ref: FileRef, file: Path) -> None:
        """Store a file under its hash, unless it is there already."""
        path = f"{self._path}/blobs/{ref.sha256}"
        if send(self._http, "HEAD", path).status_code == 200:
            return
        headers = {"Content-Length": str(ref.size), "Content-Type": "application/octet-stream"}
        with file.open("rb") as source:
            chunks = iter(lambda: source.read(CHUNK), b"")
            checked(send(self._http, "PUT", path, content=chunks, headers=headers))


def http_client(url: str, token: str) -> httpx.Client:
    return httpx.Client(
        base_url=url,
        headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
        timeout=httpx.Timeout(TRANSFER_TIMEOUT_S, connect=5.0),
    )


def _presigned(url: str) -> Iterator[bytes]:
    """Read from the store itself. The claim's token is not for its ears."""
    with httpx.stream("GET", url, timeout=TRANSFER_TIMEOUT_S) as answer:
        checked(answer)
        yield from answer.iter_bytes(CHUNK)


def send(http: httpx.Client, method: str, path: str, **options: object) -> httpx.Response:
    try:
        return http.request(method, path, **options)  # type: ignore[arg-type]  # passed on as they came
    except httpx.TransportError as error:
        raise Unreachable(f"{method} {path}: {error}") from error


def checked(answer: httpx.Response) -> httpx.Response:
    if answer.is_success:
        return answer
    answer.read()
    sentence = f"{answer.request.method} {answer.request.url.path}: {answer.status_code} {answer.text[:500]}"
    if answer.status_code == httpx.codes.INSUFFICIENT_STORAGE:
        raise Full(sentence)
    if answer.status_code >= 500 or answer.status_code == 429:
        raise Unreachable(sentence)
    raise Refused(sentence, answer.status_code, _said(answer))


def _said(answer: httpx.Response) -> str:
    """The sentence in the platform's envelope for errors; empty when somebody else answered."""
    try:
        return str(answer.json()["error"]["message"])[:500]
    except (ValueError, KeyError, TypeError):
        return ""
