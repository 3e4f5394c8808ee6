"""`/v1/completions`: let a model go on with a text, without its chat template."""

from collections.abc import AsyncGenerator, Sequence
from typing import Any

from django.http import HttpRequest, StreamingHttpResponse
from ninja import Router

from contracts.completion import Told
from whetstone.accounts.ids import new_id
from whetstone.api.bodies import unbuffered
from whetstone.api.openai.lines import lines
from whetstone.api.openai.requests import CompletionRequest
from whetstone.api.openai.writing import Json, Writing, begin, usage

router = Router(tags=["chat"])


@router.post("")
async def create_text(request: HttpRequest, body: CompletionRequest) -> dict[str, Any] | StreamingHttpResponse:
    """What follows each prompt; with `stream=true` as it is written. `max_tokens` is 16 when it is left out."""
    common = {"choices": body.n or 1, "sampling": body.sampling(), "in_pieces": bool(body.stream)}
    prompts = body.prompts()
    writing = await begin(request, body.model, [prompt | common for prompt in prompts])
    head = {"id": new_id("cmpl"), "object": "text_completion", "created": writing.created, "model": body.model}
    echoes = [str(prompt.get("text", "")) if body.echo else "" for prompt in prompts for _ in range(writing.choices)]
    if body.stream:
        return unbuffered(lines(request, _chunks(head, writing, body, echoes)))
    choices = await writing.collected()
    return head | {
        "choices": [
            _choice(n, echo + one.text, one.logprobs, body) | {"finish_reason": one.finish}
            for n, (echo, one) in enumerate(zip(echoes, choices, strict=True))
        ],
        "usage": usage(writing.prompt_tokens, sum(one.tokens for one in choices)),
    }


async def _chunks(
    head: Json, writing: Writing, body: CompletionRequest, echoes: list[str]
) -> AsyncGenerator[Json, None]:
    head = head | ({"usage": None} if body.wants_usage else {})
    tokens = 0
    for number, echo in enumerate(echoes):
        if echo:
            yield head | {"choices": [_choice(number, echo, (), body)]}
    async for number, piece in writing.each():
        tokens += piece.tokens
        if piece.text or piece.logprobs or piece.finish:
            choice = _choice(number, piece.text, piece.logprobs, body) | {"finish_reason": piece.finish}
            yield head | {"choices": [choice]}
    if body.wants_usage:
        yield head | {"choices": [], "usage": usage(writing.prompt_tokens, tokens)}


def _choice(number: int, text: str, told: Sequence[Told], body: CompletionRequest) -> Json:
    logprobs = _logprobs(told) if body.logprobs is not None else None
    return {"index": number, "text": text, "logprobs": logprobs, "finish_reason": None}


def _logprobs(told: Sequence[Told]) -> Json:
    offsets, place = [], 0
    for one in told:
        offsets.append(place)
        place += len(one.token)
    return {
        "tokens": [one.token for one in told],
        "token_logprobs": [one.logprob for one in told],
        "top_logprobs": [{other.token: other.logprob for other in one.top} for one in told],
        "text_offset": offsets,
    }
