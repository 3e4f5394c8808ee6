"""Requests to the platform: tried again while it restarts, and its errors as sentences."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NoReturn
from uuid import uuid4

import httpx
from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_delay
from tenacity.wait import wait_exponential_jitter

from whetstone_cli.ends import Ended, Exit, refuse
from whetstone_cli.place import Place, place
from whetstone_cli.say import note

Json = Any  # Any: what the API answers is shown, not interpreted
PATIENCE_S = 30.0
PASSING_STATUS, PASSING_CODES = (429, 502, 503, 504), ("replay.in_progress",)
_backing_off = wait_exponential_jitter(multiplier=0.5, max=20.0, jitter=0.5)


class Passing(Exception):
    """Another try may do better."""

    def __init__(self, sentence: str, after_s: float | None = None) -> None:
        super().__init__(sentence)
        self.after_s = after_s


class Api:
    """The platform at one place. `patience_s`: for how long a request that found nobody is tried again."""

    def __init__(self, where: Place, patience_s: float = PATIENCE_S) -> None:
        self.where, self.patience_s = where, patience_s
        headers = {"Authorization": f"Bearer {where.key}", "Accept-Language": "en"}
        if not where.url.startswith(("http://", "https://")):
            raise refuse(f"“{where.url}” is no address of a platform.", "It begins with https:// or http://.")
        try:
            self._client = httpx.Client(base_url=where.url, headers=headers, timeout=httpx.Timeout(60, connect=10))
        except (httpx.InvalidURL, UnicodeError) as error:
            raise refuse(f"“{where.url}” is no address of a platform, or the key is no key: {error}.") from None

    def get(self, path: str, **params: Any) -> Json:  # Any: query parameters
        return self.ask("GET", path, params={name: value for name, value in params.items() if value is not None})

    def post(self, path: str, body: object = None) -> Json:
        return self.ask("POST", path, json={} if body is None else body)

    def ask(self, method: str, path: str, **more: Any) -> Json:  # Any: httpx's arguments
        """Raises Ended with what the platform says, or that it was not reached.

        Every try of a POST bears the same key: one whose answer was lost does its work once.
        """
        headers = {"Idempotency-Key": str(uuid4())} if method == "POST" else {}
        return self._patiently(self._once, method, path, headers=headers, **more).json()

    @contextmanager
    def body(self, path: str, **headers: str) -> Iterator[httpx.Response]:
        """A file as it comes. Not tried again: whoever reads it knows how far they have come. Raises Passing."""
        try:
            with self._client.stream("GET", path, headers=headers) as answer:
                if not answer.is_success:
                    answer.read()
                    _judge(answer)
                yield answer
        except httpx.TransportError as error:
            raise Passing(f"{self.where.url} was not reached ({type(error).__name__})") from None

    def _patiently(self, once: Any, *given: Any, **more: Any) -> Any:  # Any: what `once` takes and gives
        trying = Retrying(
            stop=stop_after_delay(self.patience_s),
            wait=_wait,
            retry=retry_if_exception_type(Passing),
            before_sleep=_tell,
            reraise=True,
        )
        try:
            return trying(once, *given, **more)
        except Passing as error:
            next_step = "Look whether the platform is up, and whether WHETSTONE_URL or your login names it."
            raise Ended(Exit.UNKNOWN, f"{error}.", next_step) from None

    def _once(self, method: str, path: str, **more: Any) -> httpx.Response:  # Any: httpx's arguments
        try:
            answer = self._client.request(method, path, **more)
        except httpx.TransportError as error:
            sentence = f"{self.where.url} was not reached ({type(error).__name__}: {error})"
            raise Passing(sentence) from None
        if not answer.is_success:
            _judge(answer)
        return answer


def connect(patience_s: float = PATIENCE_S) -> Api:
    return Api(place(), patience_s)


def _judge(answer: httpx.Response) -> NoReturn:
    status = answer.status_code
    told = _error_in(answer)
    if status in PASSING_STATUS or told.get("code") in PASSING_CODES:
        raise Passing(told.get("message") or f"the platform answered {status}", _retry_after_s(answer))
    if "message" not in told:
        raise refuse(f"{answer.url} answered {status}, and not as Whetstone does.", "Check the platform's address.")
    message = str(told["message"])
    place_of_it = f"{told['param']}: " if told.get("param") and str(told["param"]) not in message else ""
    code = Exit.UNKNOWN if status >= 500 else Exit.REFUSED
    raise Ended(code, f"{place_of_it}{message}", str(told.get("next_step") or ""), str(told.get("code") or ""))


def _error_in(answer: httpx.Response) -> dict[str, Any]:  # Any: JSON
    try:
        document = answer.json()
    except ValueError:
        return {}
    found = document.get("error") if isinstance(document, dict) else None
    return found if isinstance(found, dict) else {}


def _retry_after_s(answer: httpx.Response) -> float | None:
    said = answer.headers.get("retry-after", "")
    return min(float(said), 60.0) if said.isdecimal() else None


def _wait(state: RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome else None
    return error.after_s if isinstance(error, Passing) and error.after_s is not None else _backing_off(state)


def _tell(state: RetryCallState) -> None:
    """Once, when a try failed for the second time: the first may be a matter of a moment."""
    error = state.outcome.exception() if state.outcome else None
    if state.attempt_number == 2:
        note(f"{error}. Trying again…")
