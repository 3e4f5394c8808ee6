"""One request, until it is answered or given up: paced, limited, tried again."""

import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TypeVar

import httpcore
import httpx
import orjson
from pydantic import JsonValue
from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_attempt, stop_after_delay
from tenacity.wait import wait_exponential_jitter

from graders.http.guard import Allowed, Forbidden, Resolve, guarded_client, resolve, time_limit
from graders.schema import MASK

MAX_ANSWER_BYTES = 4_000_000
TRIES = 4
PATIENT_TRIES = 8
"""For a training: some minutes in which a judge may be away."""
PATIENCE_S = 180.0
"""No try begins after so long: a training that waits must not look as if it hung."""
LONGEST_WAIT_S = 60.0
GIVE_UP_AFTER = 8
"""So many requests in a row that nobody answered: the rest of the batch is not sent."""
_WORTH_ANOTHER_TRY = (408, 409, 425, 429, 500, 502, 503, 504, 520, 522, 524, 529)
_backing_off = wait_exponential_jitter(multiplier=0.5, max=30.0, jitter=0.5)
T = TypeVar("T")
A = TypeVar("A")


class Failed(Exception):
    """A request has no answer, with a sentence that holds no secret."""

    def __init__(self, sentence: str, *, is_of_the_server: bool = True) -> None:
        super().__init__(sentence)
        self.is_of_the_server = is_of_the_server
        """Whether the next request will probably fare alike."""


class _Passing(Failed):
    """Another try may bring one."""

    def __init__(self, sentence: str, after_s: float | None = None) -> None:
        super().__init__(sentence)
        self.after_s = after_s


class Pace:
    """At most so many requests a second, evenly."""

    def __init__(self, per_second: float | None, sleep: Callable[[float], None], now: Callable[[], float]) -> None:
        self._gap = 1 / per_second if per_second else 0.0
        self._sleep, self._now = sleep, now
        self._lock = threading.Lock()
        self._next = 0.0

    def wait(self) -> None:
        if not self._gap:
            return
        with self._lock:
            turn = max(self._next, self._now())
            self._next = turn + self._gap
        if (wait := turn - self._now()) > 0:
            self._sleep(wait)


@dataclass
class Calls:
    """What all requests of one process share: the client behind the guard, the clock, the limits of each place."""

    allowed: Allowed = field(default_factory=Allowed)
    look_up: Resolve = resolve
    sleep: Callable[[float], None] = time.sleep
    now: Callable[[], float] = time.monotonic
    tries: int = TRIES
    patience_s: float = PATIENCE_S

    def __post_init__(self) -> None:
        self._client = guarded_client(self.allowed, self.look_up)
        self._paces: dict[tuple[str, float | None], Pace] = {}
        self._slots: dict[tuple[str, int], threading.Semaphore] = {}
        self._lock = threading.Lock()
        self._is_closed = False

    def close(self) -> None:
        """What is under way fails, and nothing new is sent."""
        self._is_closed = True
        self._client.close()

    def post(self, url: str, headers: Mapping[str, str], body: object, timeout_s: float, pace: Pace) -> JsonValue:
        """Raises Failed. An answer that is no JSON, or too large, is tried again like an error of the server."""
        content = orjson.dumps(body)
        trying = Retrying(
            stop=stop_after_attempt(self.tries) | stop_after_delay(self.patience_s),
            wait=_wait,
            retry=retry_if_exception_type(_Passing),
            sleep=self.sleep,
            reraise=True,
        )
        return trying(self._once, url, headers, content, timeout_s, pace)

    def pace(self, place: str, per_second: float | None) -> Pace:
        """The one of this place, shared by all batches."""
        with self._lock:
            if (place, per_second) not in self._paces:
                self._paces[place, per_second] = Pace(per_second, self.sleep, self.now)
            return self._paces[place, per_second]

    def each(self, work: Callable[[A], T], of: Sequence[A], place: str, at_once: int) -> list[T | Failed]:
        """`work` for each, at most so many at once in this place, in their order; where it raised Failed, that.

        After GIVE_UP_AFTER failures in a row the rest is not tried: a server that is out must not hold a training
        for hours.
        """
        with self._lock:
            slots = self._slots.setdefault((place, at_once), threading.Semaphore(at_once))
        streak = _Streak(max(GIVE_UP_AFTER, at_once))

        def one(given: A) -> T | Failed:
            with slots:
                if streak.is_enough:
                    return Failed(f"not asked: the {streak.most} requests before it failed")
                try:
                    found = work(given)
                except Failed as error:
                    streak.add(error.is_of_the_server)
                    return error
                streak.add(False)
                return found

        with ThreadPoolExecutor(max(1, min(at_once, len(of))), thread_name_prefix="calls") as pool:
            return list(pool.map(one, of))

    def _once(self, url: str, headers: Mapping[str, str], content: bytes, timeout_s: float, pace: Pace) -> JsonValue:
        pace.wait()
        if self._is_closed:
            raise Failed("nobody waits for the answer any more")
        told = {"Content-Type": "application/json", "Accept": "application/json", "User-Agent": "whetstone", **headers}
        try:
            with (
                time_limit(timeout_s),
                self._client.stream("POST", url, headers=told, content=content, timeout=timeout_s) as answer,
            ):
                raw = _read(answer)
        except Forbidden as error:
            raise Failed(str(error)) from None
        except (httpx.TimeoutException, httpcore.TimeoutException):
            raise _Passing(f"no answer within {timeout_s:g} s") from None
        except (httpx.TransportError, httpx.DecodingError, OSError) as error:
            raise _Passing(f"it was not reached ({type(error).__name__})") from None
        except (httpx.InvalidURL, UnicodeError):
            raise Failed("its address cannot be read") from None
        return _json_of(answer, raw, headers.values())


class _Streak:
    """Counts failures in a row."""

    def __init__(self, most: int) -> None:
        self.most = most
        self._count, self._lock = 0, threading.Lock()

    @property
    def is_enough(self) -> bool:
        return self._count >= self.most

    def add(self, has_failed: bool) -> None:
        with self._lock:
            if not self.is_enough:  # what was under way when it was enough changes nothing
                self._count = self._count + 1 if has_failed else 0


def _read(answer: httpx.Response) -> bytes:
    found = bytearray()
    for chunk in answer.iter_bytes(65_536):
        found += chunk
        if len(found) > MAX_ANSWER_BYTES:
            raise Failed(f"its answer is larger than {MAX_ANSWER_BYTES} bytes", is_of_the_server=False)
    return bytes(found)


def _json_of(answer: httpx.Response, raw: bytes, secrets: Iterable[str]) -> JsonValue:
    status = answer.status_code
    if answer.is_redirect:
        raise Failed(f"it answered {status}: redirects are not followed, name the address they lead to")
    if not answer.is_success:
        sentence = f"it answered {status}: {_excerpt(raw, secrets)}"
        if status in _WORTH_ANOTHER_TRY:
            raise _Passing(sentence, _retry_after_s(answer))
        raise Failed(sentence, is_of_the_server=status not in (400, 413, 422))
    try:
        found: JsonValue = orjson.loads(raw)
    except orjson.JSONDecodeError:
        raise _Passing(f"its answer is no JSON: {_excerpt(raw, secrets)}") from None
    return found


def _excerpt(raw: bytes, secrets: Iterable[str]) -> str:
    """The beginning of an answer, for people. A server may repeat what it was sent."""
    text = " ".join(raw[:2000].decode(errors="replace").split())
    for secret in secrets:
        for shown in {secret, secret.rpartition(" ")[2]} - {""}:
            text = text.replace(shown, MASK)
    return text[:200]


def _retry_after_s(answer: httpx.Response) -> float | None:
    """Seconds, or a date."""
    said = answer.headers.get("retry-after", "").strip()
    try:
        return max(0.0, float(said))
    except ValueError:
        pass
    try:
        return max(0.0, (parsedate_to_datetime(said) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError):
        return None


def _wait(state: RetryCallState) -> float:
    """What the server asks for, as far as that is bearable; otherwise longer each time, and never all at once."""
    error = state.outcome.exception() if state.outcome else None
    if isinstance(error, _Passing) and error.after_s is not None:
        return min(error.after_s, LONGEST_WAIT_S)
    return _backing_off(state)
