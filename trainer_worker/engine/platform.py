"""The platform, as a host of engines sees it. The host dials out only, so it may stand behind any NAT."""

import httpx

from contracts.completion import Letters, Replies
from contracts.serving import Attendance, Duties, Load
from trainer_worker.client import Blobs, checked, http_client, send

WAIT_S = 15.0
"""How long the platform may hold a question for letters open."""
ANSWER_S = 15.0


class HostPlatform:
    def __init__(self, url: str, token: str) -> None:
        self._url = url
        self._http = http_client(url, token)

    def attend(self, said: Attendance) -> Duties:
        body = said.model_dump_json()
        answer = send(self._http, "POST", "/api/worker/serving/attend", content=body, timeout=ANSWER_S)
        return Duties.model_validate_json(checked(answer).content)

    def letters(self, host: str, mark: str) -> Letters:
        """What came for this host after the letter of this mark, as soon as something does."""
        timeout = httpx.Timeout(WAIT_S + ANSWER_S, connect=5.0)
        about: dict[str, str | float] = {"host": host, "mark": mark, "wait_s": WAIT_S}
        answer = send(self._http, "GET", "/api/worker/serving/letters", params=about, timeout=timeout)
        return Letters.model_validate_json(checked(answer).content)

    def reply(self, replies: Replies) -> None:
        body = replies.model_dump_json()
        checked(send(self._http, "POST", "/api/worker/serving/replies", content=body, timeout=ANSWER_S))

    def blobs(self, load: Load) -> Blobs:
        return Blobs(self._url, f"/api/worker/serving/deployments/{load.deployment}", load.token)
