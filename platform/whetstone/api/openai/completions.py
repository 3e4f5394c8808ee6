"""`/v1/completions`: let a model go on with a text, without its chat template."""

from collections.abc import AsyncGenerator, Sequence

from django.http import HttpRequest, StreamingHttpResponse
from ninja import Router

from contracts.completion import FinishReason, Told
from whetstone.accounts.ids import new_id
from whetstone.api.bodies import unbuffered
from whetstone.api.openai.chat_schema import TextChoiceJson, TextCompletionJson, TextLogprobsJson
from whetstone.api.openai.lines import lines
from whetstone.api.openai.requests import CompletionRequest
from whetstone.api.openai.writing import Json, Writing, begin, usage

router = Router(tags=["chat"])


@router.post("")
async def create_text(request: HttpRequest, body: CompletionRequest) -> TextCompletionJson | StreamingHttpResponse:
    """What follows each prompt; with `stream=true` as it is written. `max_tokens` is 16 when it is left out."""
    common = {"choices": body.n or 1, "sampling": body.sampling(), "in_pieces": bool(body.stream)}
    prompts = body.prompts()
    writing = await begin(request, body.model, [prompt | common for prompt in prompts])
    name = new_id("cmpl")
    echoes = [str(prompt.get("text", "")) if body.echo else "" for prompt in prompts for _ in range(writing.choices)]
    if body.stream:
        return unbuffered(lines(request, _chunks(name, writing, body, echoes)))
    choices = await writing.collected()
    return {
        "id": name,
        "object": "text_completion",
        "created": writing.created,
        "model": body.model,
        "choices": [
            _choice(n, echo + one.text, one.logprobs, one.finish, body)
            for n, (echo, one) in enumerate(zip(echoes, choices, strict=True))
        ],
        "usage": usage(writing.prompt_tokens, sum(one.tokens for one in choices)),
    }


async def _chunks(
    name: str, writing: Writing, body: CompletionRequest, echoes: list[str]
) -> AsyncGenerator[Json, None]:
    head: Json = {"id": name, "object": "text_completion", "created": writing.created, "model": body.model}
    head |= {"usage": None} if body.wants_usage else {}
    tokens = 0
    for number, echo in enumerate(echoes):
        if echo:
            yield head | {"choices": [_choice(number, echo, (), None, body)]}
    async for number, piece in writing.each():
        tokens += piece.tokens
        if piece.text or piece.logprobs or piece.finish:
            yield head | {"choices": [_choice(number, piece.text, piece.logprobs, piece.finish, body)]}
    if body.wants_usage:
        yield head | {"choices": [], "usage": usage(writing.prompt_tokens, tokens)}


def _choice(
    number: int, text: str, told: Sequence[Told], finish: FinishReason | None, body: CompletionRequest
) -> TextChoiceJson:
    logprobs = _logprobs(told) if body.logprobs is not None else None
    return {"index": number, "text": text, "logprobs": logprobs, "finish_reason": finish}


def _logprobs(told: Sequence[Told]) -> TextLogprobsJson:
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
