"""`/v1/chat/completions`: ask a model of the hub."""

from collections.abc import AsyncGenerator, Sequence

from django.http import HttpRequest, StreamingHttpResponse
from ninja import Router

from contracts.completion import Alternative, Delta, Told
from contracts.tools import CallPiece
from whetstone.accounts.ids import new_id
from whetstone.api.bodies import unbuffered
from whetstone.api.openai.chat_schema import (
    CalledJson,
    ChatChoiceJson,
    ChatCompletionJson,
    ChatLogprobsJson,
    ChatMessageJson,
    TokenJson,
    ToldTokenJson,
    ToolCallJson,
)
from whetstone.api.openai.lines import lines
from whetstone.api.openai.requests import ChatRequest
from whetstone.api.openai.writing import Choice, Json, Writing, begin, usage

router = Router(tags=["chat"])


@router.post("/completions")
async def create(request: HttpRequest, body: ChatRequest) -> ChatCompletionJson | StreamingHttpResponse:
    """The answer in one piece, or with `stream=true` as it is written. A model that nobody has asked for a while is
    loaded first; when that takes longer than half a minute, 503 with `retry-after` says to come again."""
    writing = await begin(request, body.model, [body.asked()])
    name = new_id("chatcmpl")
    if body.stream:
        return unbuffered(lines(request, _chunks(name, writing, body)))
    choices = await writing.collected()
    return {
        "id": name,
        "object": "chat.completion",
        "created": writing.created,
        "model": body.model,
        "service_tier": "default",
        "choices": [_choice(n, one, bool(body.logprobs)) for n, one in enumerate(choices)],
        "usage": usage(writing.prompt_tokens, sum(one.tokens for one in choices)),
    }


def _choice(number: int, written: Choice, with_logprobs: bool) -> ChatChoiceJson:
    return {
        "index": number,
        "message": _message(written),
        "logprobs": _logprobs(written.logprobs) if with_logprobs else None,
        "finish_reason": written.finish,
    }


def _message(written: Choice) -> ChatMessageJson:
    message: ChatMessageJson = {"role": "assistant", "content": written.text, "refusal": None}
    if written.calls:
        message["content"] = written.text or None
        message["tool_calls"] = [_call(one) for one in written.calls]
    return message


def _call(one: CallPiece) -> ToolCallJson:
    called: CalledJson = {"name": one.name or "", "arguments": one.arguments}
    return {"id": one.id or "", "type": "function", "function": called}


async def _chunks(name: str, writing: Writing, body: ChatRequest) -> AsyncGenerator[Json, None]:
    """First who speaks, then what is said, then why it ended; at the very end what it took, if that was asked for."""
    head: Json = {
        "id": name,
        "object": "chat.completion.chunk",
        "created": writing.created,
        "model": body.model,
        "service_tier": "default",
    }
    head |= {"usage": None} if body.wants_usage else {}
    tokens = 0
    for number in range(writing.choices):
        yield head | {"choices": [_part(number, {"role": "assistant", "content": "", "refusal": None})]}
    async for number, piece in writing.each():
        tokens += piece.tokens
        if piece.text or piece.logprobs:
            yield head | {"choices": [_part(number, {"content": piece.text}, piece if body.logprobs else None)]}
        if piece.calls:
            yield head | {"choices": [_part(number, {"tool_calls": [_call_piece(one) for one in piece.calls]})]}
        if piece.finish is not None:
            yield head | {"choices": [_part(number, {}) | {"finish_reason": piece.finish}]}
    if body.wants_usage:
        yield head | {"choices": [], "usage": usage(writing.prompt_tokens, tokens)}


def _part(number: int, delta: Json, piece: Delta | None = None) -> Json:
    logprobs = _logprobs(piece.logprobs) if piece else None
    return {"index": number, "delta": delta, "logprobs": logprobs, "finish_reason": None}


def _call_piece(one: CallPiece) -> Json:
    """What it is called comes with the first piece, as OpenAI's client puts them together."""
    if one.name is None:
        return {"index": one.index, "function": {"arguments": one.arguments}}
    return {"index": one.index, **_call(one)}


def _logprobs(told: Sequence[Told]) -> ChatLogprobsJson:
    content: list[ToldTokenJson] = [{**_token(one), "top_logprobs": [_token(top) for top in one.top]} for one in told]
    return {"content": content, "refusal": None}


def _token(one: Alternative) -> TokenJson:
    return {"token": one.token, "logprob": one.logprob, "bytes": list(one.bytes)}
