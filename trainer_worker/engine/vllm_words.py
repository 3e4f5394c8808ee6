"""Our questions in vLLM's words, which are OpenAI's, and its answers in ours."""

import json
from collections import Counter
from collections.abc import Iterable
from typing import Any, get_args

from contracts.completion import Alternative, Ask, Delta, FinishReason, Told, Turn
from contracts.fault import FaultReport
from contracts.tools import CallPiece, Form, Toolbox, joined

Json = dict[str, Any]  # Any: JSON
LEAST = -9999.0


def path_of(ask: Ask) -> str:
    return "/v1/chat/completions" if ask.turns else "/v1/completions"


def tokenize_body(ask: Ask, voice: str) -> Json:
    """vLLM's own `/tokenize`, which renders a conversation as the chat route would."""
    if ask.turns:
        tools = _tools(ask.toolbox) if ask.toolbox and ask.toolbox.choice != "none" else {}
        return {"model": voice, "messages": _messages(ask), "add_generation_prompt": True} | tools
    return {"model": voice, "prompt": ask.text if ask.text is not None else "", "add_special_tokens": True}


def context_fault(ask: Ask, tokens: int, context: int) -> FaultReport | None:
    """What our own engine would say, too."""
    tokens = tokens if ask.ids is None else len(ask.ids)
    field = "messages" if ask.turns else "prompt"
    if not tokens:
        return FaultReport(code="completion.empty", field=field)
    if tokens >= context:
        return FaultReport(code="completion.too_long", field=field, params={"context": context, "tokens": tokens})
    wanted = ask.sampling.max_tokens
    if wanted is not None and tokens + wanted > context:
        params: dict[str, str | int | float] = {"context": context, "tokens": tokens, "wanted": wanted}
        return FaultReport(code="completion.no_room", field="max_tokens", params=params)
    return None


def body_of(ask: Ask, voice: str) -> Json:
    manner = ask.sampling
    body: Json = {
        "model": voice,
        "n": ask.choices,
        "temperature": manner.temperature,
        "top_p": manner.top_p,
        "presence_penalty": manner.presence_penalty,
        "frequency_penalty": manner.frequency_penalty,
        "stream": True,
        "stream_options": {"include_usage": True, "continuous_usage_stats": True},
    }
    given = {"max_tokens": manner.max_tokens, "seed": manner.seed}
    body |= {name: value for name, value in given.items() if value is not None}
    if manner.stop:
        body["stop"] = list(manner.stop)
    if manner.logit_bias:
        body["logit_bias"] = {str(token): bias for token, bias in manner.logit_bias.items()}
    return body | (_of_chat(ask) if ask.turns else _of_text(ask))


def _of_chat(ask: Ask) -> Json:
    body: Json = {"messages": _messages(ask)}
    if ask.toolbox is not None:
        named = {"type": "function", "function": {"name": ask.toolbox.named}}
        body |= _tools(ask.toolbox) | {"tool_choice": named if ask.toolbox.named else ask.toolbox.choice}
        body |= {"parallel_tool_calls": ask.toolbox.in_parallel}
    if ask.form is not None:
        body["response_format"] = _format(ask.form)
    if ask.sampling.alternatives is not None:
        body |= {"logprobs": True, "top_logprobs": ask.sampling.alternatives}
    return body


def _messages(ask: Ask) -> list[Json]:
    return [_message(turn) for turn in ask.turns]


def _message(turn: Turn) -> Json:
    message: Json = {"role": turn.role, "content": turn.content}
    if turn.calls:
        message["tool_calls"] = [call.model_dump() for call in turn.calls]
    return message if turn.tool_call_id is None else message | {"tool_call_id": turn.tool_call_id}


def _tools(toolbox: Toolbox) -> Json:
    return {"tools": [tool.model_dump(exclude_none=True) for tool in toolbox.tools]}


def _format(form: Form) -> Json:
    if form.document is None:
        return {"type": "json_object"}
    named = {"name": form.name, "schema": form.document, "description": form.description, "strict": form.strict}
    return {"type": "json_schema", "json_schema": {key: value for key, value in named.items() if value is not None}}


def _of_text(ask: Ask) -> Json:
    body: Json = {"prompt": ask.text if ask.ids is None else list(ask.ids)}
    if ask.sampling.alternatives is not None:
        body["logprobs"] = ask.sampling.alternatives
    return body


class Pieces:
    """The chunks of one answer, read one by one."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self._tokens: Counter[int] = Counter()
        self._whole: dict[int, Delta] = {}
        self.ended = 0

    def read(self, chunk: Json) -> Iterable[Delta]:
        for choice in chunk.get("choices", ()):
            delta = self._delta(choice, chunk.get("usage") or {})
            self.ended += delta.finish is not None
            if not self._ask.in_pieces:
                delta = self._whole[delta.choice] = _joined(self._whole.get(delta.choice), delta)
                if delta.finish is None:
                    continue
            if delta.text or delta.calls or delta.logprobs or delta.finish is not None or delta.tokens:
                yield delta

    def _delta(self, choice: Json, usage: Json) -> Delta:
        """With continuous usage each chunk says how many tokens its choice has by now."""
        number = int(choice["index"])
        now = int(usage.get("completion_tokens", self._tokens[number]))
        tokens, self._tokens[number] = max(0, now - self._tokens[number]), max(now, self._tokens[number])
        text = choice["delta"].get("content") if "delta" in choice else choice.get("text")
        logprobs = choice.get("logprobs") or {}
        told = _told_of_chat(logprobs) if "content" in logprobs else _told_of_text(logprobs)
        reason = choice.get("finish_reason")
        finish: FinishReason | None = None
        if reason is not None:
            finish = reason if reason in get_args(FinishReason) else "stop"
        return Delta(
            ask=self._ask.id,
            choice=number,
            text=text or "",
            tokens=tokens,
            logprobs=tuple(told),
            calls=_calls(choice.get("delta", {})),
            finish=finish,
        )


def _calls(delta: Json) -> tuple[CallPiece, ...]:
    return tuple(
        CallPiece(
            index=int(one.get("index") or 0),
            id=one.get("id"),
            name=(called := one.get("function") or {}).get("name"),
            arguments=called.get("arguments") or "",
        )
        for one in delta.get("tool_calls") or ()
    )


def _joined(before: Delta | None, delta: Delta) -> Delta:
    if before is None:
        return delta
    return delta.model_copy(
        update={
            "text": before.text + delta.text,
            "tokens": before.tokens + delta.tokens,
            "logprobs": before.logprobs + delta.logprobs,
            "calls": joined(before.calls, delta.calls),
        }
    )


def _told_of_chat(logprobs: Json) -> Iterable[Told]:
    for one in logprobs["content"] or ():
        top = tuple(_alternative(other) for other in one.get("top_logprobs") or ())
        yield Told(**_alternative(one).model_dump(), top=top)


def _alternative(one: Json) -> Alternative:
    spelled = one.get("bytes")
    letters = tuple(one["token"].encode()) if spelled is None else tuple(spelled)
    return Alternative(token=one["token"], bytes=letters, logprob=max(one["logprob"], LEAST))


def _told_of_text(logprobs: Json) -> Iterable[Told]:
    tokens = logprobs.get("tokens") or ()
    tops = logprobs.get("top_logprobs") or [{}] * len(tokens)
    for token, value, top in zip(tokens, logprobs.get("token_logprobs") or (), tops, strict=True):
        others = tuple(_alternative({"token": name, "logprob": lp}) for name, lp in (top or {}).items())
        yield Told(**_alternative({"token": token, "logprob": value}).model_dump(), top=others)


def fault_of(status: int, content: bytes) -> FaultReport:
    """vLLM's own sentence: for a wrong request what is wrong with it, else that it broke."""
    try:
        said = json.loads(content)
        detail = str(said.get("error", said).get("message") or said)
    except (ValueError, AttributeError):
        detail = content.decode(errors="replace")
    code = "completion.refused" if 400 <= status < 500 else "completion.broken"
    return FaultReport(code=code, params={"detail": detail[:300]})
