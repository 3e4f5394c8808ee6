"""Models from Hugging Face's hub, or from a mirror that speaks like it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, NoReturn
from urllib.parse import urlsplit

import httpx
import httpx2
from huggingface_hub import HfApi, hf_hub_url
from huggingface_hub.errors import (
    GatedRepoError,
    HfHubHTTPError,
    HFValidationError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from contracts.fault import Fault
from whetstone.modelhub.sources import Listed, Listing, Tell

TIMEOUT_S = 30


class Hub:
    """One model at one revision. What has come of a file lies in `work`: a process that follows goes on there."""

    def __init__(
        self, endpoint: str, repo: str, revision: str, work: Path, token: tuple[str, str] | None = None
    ) -> None:
        """token: its name, which may be told, and what it is."""
        self.endpoint, self.repo, self.revision = endpoint.rstrip("/"), repo, revision or "main"
        self._host = urlsplit(endpoint).netloc or endpoint
        self._token_name, self._token = token or ("", "")
        self._work = work

    def listing(self) -> Listing:
        """Raises Fault hub.*."""
        try:
            # A token of the operator's own account, which the library would find, is nobody's but the operator's.
            api = HfApi(endpoint=self.endpoint, token=self._token or False)
            info = api.model_info(self.repo, revision=self.revision, files_metadata=True, timeout=TIMEOUT_S)
        except HFValidationError:
            raise Fault("hub.no_repo_id", field="repo", repo=self.repo) from None
        except HfHubHTTPError as error:
            self._refuse(error)
        except (httpx2.HTTPError, OSError, ValueError) as error:
            raise self._unreachable(error) from None
        files = {one.rfilename: Listed(one.size or 0, one.lfs.sha256 if one.lfs else "") for one in info.siblings or ()}
        return Listing(files, info.sha or "")

    @contextmanager
    def open(self, path: str, size: int, tell: Tell) -> Iterator[IO[bytes]]:
        """Download what is not there yet. Raises Fault hub.unreachable, hub.torn, hub.rate_limited and their kin."""
        part = self._work / path.replace("/", "%")
        part.parent.mkdir(parents=True, exist_ok=True)
        if not part.exists() or part.stat().st_size != size:
            self._download(path, part, size, tell)
        with part.open("rb") as content:
            yield content
        part.unlink()

    def _download(self, path: str, part: Path, size: int, tell: Tell) -> None:
        there = part.stat().st_size if part.exists() else 0
        headers = {"Accept-Encoding": "identity", "User-Agent": "whetstone"}
        headers |= {"Authorization": f"Bearer {self._token}"} if self._token else {}
        headers |= {"Range": f"bytes={there}-"} if 0 < there < size else {}
        url = hf_hub_url(self.repo, path, revision=self.revision, endpoint=self.endpoint)
        try:
            with httpx.stream("GET", url, headers=headers, follow_redirects=True, timeout=TIMEOUT_S) as answer:
                if answer.status_code >= 400:
                    self._refuse_download(path, answer.status_code)
                with part.open("ab" if answer.status_code == 206 else "wb") as target:
                    for chunk in answer.iter_raw():  # what came counts, however little
                        target.write(chunk)
                        tell(target.tell())
        except httpx.HTTPError as error:
            raise self._unreachable(error) from None
        if (came := part.stat().st_size) != size:
            if came > size:
                part.unlink()
            raise Fault("hub.torn", file=path, detail=f"{came} of {size} bytes came")

    def _refuse(self, error: HfHubHTTPError) -> NoReturn:
        status = error.response.status_code
        if isinstance(error, GatedRepoError):
            raise Fault("hub.gated", field="repo", host=self._host, repo=self.repo) from None
        if isinstance(error, RevisionNotFoundError):
            raise Fault("hub.no_revision", field="revision", repo=self.repo, revision=self.revision) from None
        if status == 401 and self._token:
            raise Fault("hub.token_refused", field="token", host=self._host, token=self._token_name) from None
        if isinstance(error, RepositoryNotFoundError) or status in (401, 403, 404):
            raise Fault("hub.no_model", field="repo", host=self._host, repo=self.repo) from None
        self._refuse_otherwise(status)

    def _refuse_download(self, path: str, status: int) -> NoReturn:
        if status == 401 and self._token:
            raise Fault("hub.token_refused", field="token", host=self._host, token=self._token_name)
        if status in (401, 403):
            raise Fault("hub.gated", field="repo", host=self._host, repo=self.repo)
        if status in (404, 416):
            raise Fault("hub.torn", file=path, detail=f"{self._host} answered {status}")
        self._refuse_otherwise(status)

    def _refuse_otherwise(self, status: int) -> NoReturn:
        if status == 429:
            raise Fault("hub.rate_limited", host=self._host)
        raise Fault("hub.unreachable", host=self._host, detail=f"it answered {status}")

    def _unreachable(self, error: Exception) -> Fault:
        """Without the error's own text: it may hold an address with what is secret in it."""
        return Fault("hub.unreachable", host=self._host, detail=type(error).__name__)
