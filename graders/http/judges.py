"""Judges behind OpenAI's chat completions, and embedding models behind its embeddings."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import orjson
from pydantic import JsonValue

from graders.http.addresses import JudgeAddress
from graders.http.cache import AnswerCache, key_of
from graders.http.calls import Calls, Failed
from graders.port import Answer, Json, Question, Silence, Unreachable, Vector
from graders.usage import NOTHING, Usage

TEXTS_AT_ONCE = 64
"""In one request for embeddings."""


@dataclass(frozen=True)
class HttpJudges:
    """The judges of this list, by their names."""

    addresses: Mapping[str, JudgeAddress]
    calls: Calls
    cache: AnswerCache | None = None
    home: Calls | None = None
    """What reaches the platform itself, wherever it stands."""

    def ask(self, model: str, questions: Sequence[Question]) -> list[Answer | Silence]:
        """As graders.Judges says. Questions that are alike are asked once."""
        judge = _address(self.addresses, model)
        calls = self.home if judge.is_here and self.home is not None else self.calls
        url, pace = judge.url("chat/completions"), calls.pace(judge.base_url, judge.max_rps)
        bodies = [_body(judge, one) for one in questions]
        keys = [key_of(url, judge.headers, *pair) for pair in zip(bodies, (q.attempt for q in questions), strict=True)]
        first = {key: n for n, key in reversed([*enumerate(keys)])}
        asked = [*first.values()]

        def ask_one(n: int) -> tuple[JsonValue, bool]:
            def ask() -> JsonValue:
                return calls.post(url, judge.headers, bodies[n], judge.timeout_s, pace)

            return _remembered(self.cache, keys[n], ask)

        found = calls.each(ask_one, asked, judge.base_url, judge.at_once)
        answers = {keys[n]: _answer(judge, one) for n, one in zip(asked, found, strict=True)}
        return [answers[key] if first[key] == n else _for_free(answers[key]) for n, key in enumerate(keys)]


@dataclass(frozen=True)
class HttpEmbedders:
    """The embedding models of this list, by their names."""

    addresses: Mapping[str, JudgeAddress]
    calls: Calls
    cache: AnswerCache | None = None

    def embed(self, model: str, texts: Sequence[str]) -> list[Vector | Silence]:
        """As graders.Embedders says."""
        judge = _address(self.addresses, model)
        url, pace = judge.url("embeddings"), self.calls.pace(judge.base_url, judge.max_rps)

        def embed_some(chunk: Sequence[str]) -> tuple[JsonValue, bool]:
            body: Json = {"model": judge.model, "input": [*chunk]}

            def ask() -> JsonValue:
                return self.calls.post(url, judge.headers, body, judge.timeout_s, pace)

            return _remembered(self.cache, key_of(url, judge.headers, body), ask)

        chunks = [texts[n : n + TEXTS_AT_ONCE] for n in range(0, len(texts), TEXTS_AT_ONCE)]
        found = self.calls.each(embed_some, chunks, judge.base_url, judge.at_once)
        return [one for chunk, told in zip(chunks, found, strict=True) for one in _vectors(judge, len(chunk), told)]


def _address(addresses: Mapping[str, JudgeAddress], model: str) -> JudgeAddress:
    if model not in addresses:
        raise Unreachable(f"There is no judge “{model}” here.")
    return addresses[model]


def _remembered(cache: AnswerCache | None, key: bytes, ask: Callable[[], JsonValue]) -> tuple[JsonValue, bool]:
    """The answer, and whether it was a new one."""
    known = cache.get(key) if cache else None
    if known is not None:
        return known, False
    answer = ask()
    if cache:
        cache.put(key, answer)
    return answer, True


def _body(judge: JudgeAddress, question: Question) -> Json:
    """Our engines hold an answer to its form token by token; that form is also told in words, so that a model which
    knows nothing of it does not write against it."""
    form: Json = {"name": "judgement", "strict": not judge.is_here, "schema": question.schema}
    messages: list[JsonValue] = [{"role": one["role"], "content": one["content"]} for one in question.messages]
    if judge.is_here:
        messages[-1] = _in_words(question)
    asked: Json = {"model": judge.model, "messages": messages}
    return {**asked, "response_format": {"type": "json_schema", "json_schema": form}, **question.sampling}


def _in_words(question: Question) -> Json:
    """The last message, which the model reads last, and the form behind it."""
    last, form = question.messages[-1], orjson.dumps(question.schema).decode()
    asked = f"{last['content']}\n\nAnswer with one JSON object of this JSON schema, and with nothing else:\n{form}"
    return {"role": last["role"], "content": asked}


def _answer(judge: JudgeAddress, told: tuple[JsonValue, bool] | Failed) -> Answer | Silence:
    if isinstance(told, Failed):
        return _silence(judge, told)
    body, is_new = told
    usage = judge.usage(_inside(body, "usage")) if is_new else NOTHING
    message = _inside(body, "choices", 0, "message")
    if refusal := _inside(message, "refusal"):
        reason = f"The judge “{judge.name}” refused: {str(refusal)[:200]}"
        return Silence("model_grader_refusal_error", reason, usage)
    if _inside(body, "choices", 0, "finish_reason") == "content_filter":
        return Silence(
            "model_grader_refusal_error", f"The judge “{judge.name}” answered with its content filter.", usage
        )
    content = _inside(message, "content")
    was_cut = _inside(body, "choices", 0, "finish_reason") == "length"
    return Answer(content if isinstance(content, str) else "", usage, was_cut)


def _vectors(judge: JudgeAddress, count: int, told: tuple[JsonValue, bool] | Failed) -> Iterator[Vector | Silence]:
    """The usage of a request stands on the first of its texts."""
    if isinstance(told, Failed):
        yield from [_silence(judge, told) for _ in range(count)]
        return
    body, is_new = told
    usage = judge.usage(_inside(body, "usage")) if is_new else NOTHING
    for n in range(count):
        values = _inside(body, "data", n, "embedding")
        told_of = usage if n == 0 else NOTHING
        if isinstance(values, list) and all(isinstance(one, int | float) for one in values):
            yield Vector([float(one) for one in values if isinstance(one, int | float)], told_of)
        else:
            yield Silence("model_grader_parse_error", f"“{judge.name}” answered with no vector.", told_of)


def _silence(judge: JudgeAddress, failed: Failed) -> Silence:
    return Silence("model_grader_server_error", f"The judge “{judge.name}” gave no answer: {failed}")


def _for_free(answer: Answer | Silence) -> Answer | Silence:
    """For one who asked the same: the first has paid."""
    if isinstance(answer, Silence):
        return Silence(answer.flag, answer.reason)
    return Answer(answer.text, Usage(), answer.was_cut)


def _inside(value: object, *steps: str | int) -> object:
    """What stands there; None where nothing does."""
    for step in steps:
        if isinstance(value, dict) and isinstance(step, str):
            value = value.get(step)
        elif isinstance(value, list) and isinstance(step, int) and step < len(value):
            value = value[step]
        else:
            return None
    return value
