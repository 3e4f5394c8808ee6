"""One try at one delivery: behind the guard, ten seconds at most, no redirects."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import httpcore
import httpx

from graders.http import Allowed
from graders.http.guard import Forbidden, guarded_client, time_limit

TIMEOUT_S = 10.0


@dataclass(frozen=True)
class Outcome:
    """`status` is None when nobody answered; then `error` says why."""

    status: int | None
    error: str = ""

    @property
    def is_delivered(self) -> bool:
        return self.status is not None and 200 <= self.status < 300


@lru_cache(maxsize=4)
def client(private_hosts: str) -> httpx.Client:
    return guarded_client(Allowed.read(private_hosts), connections=64)


def send(
    client: httpx.Client, url: str, body: str, headers: Mapping[str, str], timeout_s: float = TIMEOUT_S
) -> Outcome:
    """Never raises: what went wrong is part of the outcome. What the receiver says in its body nobody reads."""
    all_headers = {"content-type": "application/json", "user-agent": "Whetstone-Webhooks/1", **headers}
    try:
        with (
            time_limit(timeout_s),
            client.stream("POST", url, content=body.encode(), headers=all_headers, timeout=timeout_s) as answer,
        ):
            is_redirect = answer.is_redirect
            return Outcome(answer.status_code, "redirects are not followed" if is_redirect else "")
    except Forbidden as error:
        return Outcome(None, str(error))
    except (httpx.TimeoutException, httpcore.TimeoutException):
        return Outcome(None, f"no answer within {timeout_s:g} s")
    except (httpx.TransportError, httpcore.NetworkError, httpcore.ProtocolError, OSError) as error:
        return Outcome(None, f"it was not reached ({type(error).__name__})")
    except (httpx.InvalidURL, UnicodeError):
        return Outcome(None, "its address cannot be read")
