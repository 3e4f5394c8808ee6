"""The grader that is a web service of somebody's own."""

import re
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, ConfigDict, Field, model_validator

from graders.problem import Mistake, quoted
from graders.schema.base import BASIC, GraderModel

MASK = "**********"
"""What stands for a header's value in an answer."""
SECRET = re.compile(r"\$\{secret:([A-Za-z_][A-Za-z0-9_]{0,63})\}")
"""A secret by its name, inside a header's value."""
# What such a header holds opens a door: it may stand in no document.
_SENSITIVE = re.compile(r"auth|cookie|token|secret|key|password|credential", re.IGNORECASE)
_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,128}")
_SET_BY_US = {"host", "content-length", "content-type", "transfer-encoding", "connection"}


def http_address(url: str) -> str:
    """Raises Mistake."""
    try:
        parts = urlsplit(url)
        is_one = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_one = False
    if not is_one:
        raise Mistake("endpoint.not_http", url=quoted(url))
    if "@" in parts.netloc:
        raise Mistake("endpoint.password")
    return url


def _headers(given: dict[str, str]) -> dict[str, str]:
    for name, value in given.items():
        if not _HEADER.fullmatch(name) or name.lower() in _SET_BY_US:
            raise Mistake("endpoint.header_name", name=quoted(name))
        if MASK in value:
            raise Mistake("endpoint.masked", name=quoted(name))
        if re.search(r"[\r\n\0]", value) or not value.isascii():
            raise Mistake("endpoint.header_value", name=quoted(name))
        if _SENSITIVE.search(name) and not SECRET.search(value):
            raise Mistake("endpoint.secret_in_the_open", name=quoted(name), example="${secret:NAME}")
    return given


class Endpoint(GraderModel):
    """Posts the sample and its row to a web service of your own, which answers with the score."""

    model_config = ConfigDict(title="Web service", json_schema_extra={"group": "code"})

    type: Literal["endpoint"] = "endpoint"
    url: Annotated[str, AfterValidator(http_address)] = Field(max_length=2048, title="Address", json_schema_extra=BASIC)
    """Where {"sample", "item", "trace_id"} is posted; the answer is {"score": number}."""
    headers: Annotated[dict[str, str], AfterValidator(_headers)] = Field(
        default_factory=dict, max_length=32, title="Headers"
    )
    """Sent with each request. A password stands here as ${secret:NAME}, and in the settings under that name."""
    max_rps: float | None = Field(None, gt=0, title="Most requests a second")
    """Empty: as fast as the service answers."""
    timeout_s: float = Field(60.0, gt=0, le=600, title="Time limit")
    """Seconds that one answer may take. After three more tries the sample is not scored."""

    @model_validator(mode="before")
    @classmethod
    def _azures_words(cls, given: object) -> object:
        """Azure asks for `rate_limit`, and answers with `max_rps`."""
        if not isinstance(given, dict) or "rate_limit" not in given or "max_rps" in given:
            return given
        limit = given["rate_limit"]
        rate = limit.get("max_rps") if isinstance(limit, dict) else limit
        return {key: value for key, value in given.items() if key != "rate_limit"} | {"max_rps": rate}


def secret_names(grader: Endpoint) -> frozenset[str]:
    """The secrets that its headers refer to."""
    return frozenset(name for value in grader.headers.values() for name in SECRET.findall(value))
