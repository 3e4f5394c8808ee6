"""How fast a model answers as a client sees it: streamed requests to `/v1`, ever more of them at once."""

import asyncio
import json
import math
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Annotated

import httpx
from pydantic import Field

from contracts import Contract

AtOnce = Annotated[int, Field(ge=1, le=256)]
ANSWER_TIMEOUT_S = 300.0
TEXT = "Read this line and go on with it. "


class ServingPlan(Contract):
    """What a serving test sends."""

    levels: tuple[AtOnce, ...] = Field((1, 2, 4, 8, 16, 32), min_length=1, max_length=16)
    """How many ask at once, one after the other."""
    requests_each: int = Field(3, ge=1, le=100)
    """How many requests each of those who ask at once sends, the next when the last is answered."""
    prompt_characters: int = Field(128, ge=1, le=100_000)
    answer_tokens: int = Field(32, ge=1, le=4096)
    """At most: a model may end earlier."""


class ServingLevel(Contract):
    """What was seen while so many asked at once. Times count from the request; p95 is of 20 the slowest."""

    at_once: int
    requests: int
    errors: int
    faults: dict[str, int] = {}
    """Errors by their code."""
    seconds: float
    tokens: int
    tokens_per_s: float
    """Of all together."""
    first_token_p50_ms: float | None
    first_token_p95_ms: float | None
    token_p50_ms: float | None
    """Between one token and the next, as the mean of an answer."""
    token_p95_ms: float | None
    answer_p50_ms: float | None
    answer_p95_ms: float | None


@dataclass
class Seen:
    """One answer."""

    first_s: float | None = None
    whole_s: float = 0.0
    tokens: int = 0
    fault: str | None = None


@dataclass
class Client:
    """Whoever asks, with its key."""

    url: str
    key: str
    model: str
    plan: ServingPlan
    _sent: int = field(default=0)

    async def level(self, at_once: int) -> ServingLevel:
        limits = httpx.Limits(max_connections=at_once)
        headers = {"Authorization": f"Bearer {self.key}"}
        began = time.monotonic()
        async with httpx.AsyncClient(
            base_url=self.url, headers=headers, limits=limits, timeout=ANSWER_TIMEOUT_S, trust_env=False
        ) as http:
            seen = await asyncio.gather(*(self._one_by_one(http) for _ in range(at_once)))
        return summed_up(at_once, [one for of_one in seen for one in of_one], time.monotonic() - began)

    async def _one_by_one(self, http: httpx.AsyncClient) -> list[Seen]:
        return [await self.ask(http) for _ in range(self.plan.requests_each)]

    async def ask(self, http: httpx.AsyncClient) -> Seen:
        """One request of its own: no two prompts are alike, so that none is read for another."""
        self._sent += 1
        text = f"{self._sent}. {TEXT * math.ceil(self.plan.prompt_characters / len(TEXT))}"
        body = {
            "model": self.model,
            "prompt": text[: self.plan.prompt_characters],
            "max_tokens": self.plan.answer_tokens,
            "seed": self._sent,
            "stream": True,
            "stream_options": {"include_usage": True},
        }
        seen, began = Seen(), time.monotonic()
        try:
            async with http.stream("POST", "/v1/completions", json=body) as answer:
                if answer.is_error:
                    seen.fault = _code(await answer.aread())
                async for line in answer.aiter_lines() if not answer.is_error else _nothing():
                    _hear(seen, line, time.monotonic() - began)
        except httpx.TransportError as error:
            seen.fault = type(error).__name__
        seen.whole_s = time.monotonic() - began
        return seen


def _hear(seen: Seen, line: str, after_s: float) -> None:
    if not line.startswith("data: {"):
        return
    chunk = json.loads(line.removeprefix("data: "))
    if "error" in chunk:
        seen.fault = str(chunk["error"].get("code"))
    elif chunk.get("usage"):
        seen.tokens = int(chunk["usage"]["completion_tokens"])
    elif seen.first_s is None and chunk["choices"]:
        seen.first_s = after_s


async def _nothing() -> AsyncIterator[str]:
    return
    yield ""


def _code(body: bytes) -> str:
    try:
        return str(json.loads(body)["error"]["code"])
    except (ValueError, KeyError, TypeError):
        return "no_answer"


def summed_up(at_once: int, seen: Sequence[Seen], seconds: float) -> ServingLevel:
    good = [one for one in seen if one.fault is None]
    tokens = sum(one.tokens for one in good)
    first = [1000 * one.first_s for one in good if one.first_s is not None]
    between = [
        1000 * (one.whole_s - one.first_s) / (one.tokens - 1)
        for one in good
        if one.first_s is not None and one.tokens > 1
    ]
    whole = [1000 * one.whole_s for one in good]
    return ServingLevel(
        at_once=at_once,
        requests=len(seen),
        errors=len(seen) - len(good),
        faults=dict(Counter(one.fault for one in seen if one.fault is not None)),
        seconds=round(seconds, 3),
        tokens=tokens,
        tokens_per_s=round(tokens / seconds, 1),
        first_token_p50_ms=_quantile(first, 0.5),
        first_token_p95_ms=_quantile(first, 0.95),
        token_p50_ms=_quantile(between, 0.5),
        token_p95_ms=_quantile(between, 0.95),
        answer_p50_ms=_quantile(whole, 0.5),
        answer_p95_ms=_quantile(whole, 0.95),
    )


def _quantile(values: list[float], share: float) -> float | None:
    """The least value that so large a share does not exceed."""
    if not values:
        return None
    return round(sorted(values)[math.ceil(share * len(values)) - 1], 2)
