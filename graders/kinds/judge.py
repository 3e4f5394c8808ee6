"""Asking a judge: from messages and a schema to an answer that was read, or to a receipt that says why not."""

import json
import re
from collections.abc import Callable, Mapping, Sequence

from pydantic import JsonValue

from graders.kinds.conversation import Read
from graders.port import Answer, Json, Message, Port, Question, Silence, Unreachable
from graders.receipt import Batch, Flagged, Item, Outcome, Sample
from graders.schema import SamplingParams
from graders.usage import Usage

TRIES = 3
"""How often a question is asked whose answer cannot be read."""


class Unreadable(Exception):
    """The judge's answer is not what it was asked for."""


def judged(
    model: str,
    sampling: SamplingParams | None,
    question: Callable[[Sample, Item], tuple[list[Message], Json, Callable[[Json], Outcome]]],
) -> Batch:
    """A batch of which each sample is a question of its own, all asked at once.

    `question` gives messages, the schema of the answer and what reads it (raising Unreadable). What goes wrong is
    *not scored* and never 0: a judge that is out says nothing about the answer.
    """
    drawn = _openais(sampling)

    def batch(samples: Sequence[Sample], items: Sequence[Item], port: Port) -> list[Outcome]:
        found: list[Outcome | None] = [None] * len(samples)
        asked: dict[int, tuple[Question, Callable[[Json], Outcome]]] = {}
        for n, (sample, item) in enumerate(zip(samples, items, strict=True)):
            try:
                messages, schema, reads = question(sample, item)
                asked[n] = Question(messages, schema, drawn), reads
            except Flagged as problem:
                found[n] = Outcome(None, problem.errors)
        for n, outcome in _ask(model, asked, port).items():
            found[n] = outcome
        return [one for one in found if one is not None]

    return batch


def _ask(model: str, asked: Mapping[int, tuple[Question, Callable[[Json], Outcome]]], port: Port) -> dict[int, Outcome]:
    """Each question until it is answered so that it can be read, at most TRIES times."""
    found: dict[int, Outcome] = {}
    spent = dict.fromkeys(asked, Usage())
    for attempt in range(TRIES):
        open_ = [n for n in asked if n not in found or "model_grader_parse_error" in found[n].errors]
        if not open_:
            break
        answers = _answers(model, [_again(asked[n][0], attempt) for n in open_], port)
        for n, answer in zip(open_, answers, strict=True):
            spent[n] = spent[n].plus(answer.usage)
            found[n] = _outcome(model, answer, asked[n][1])
    for n, outcome in found.items():
        outcome.usage = {model: spent[n]}
    return found


def _again(question: Question, attempt: int) -> Question:
    return Question(question.messages, question.schema, question.sampling, attempt)


def _answers(model: str, questions: list[Question], port: Port) -> Sequence[Answer | Silence]:
    try:
        if port.judges is None:
            raise Unreachable(f"The judge “{model}” cannot be asked here.")
        return port.judges.ask(model, questions)
    except Unreachable as error:
        return [Silence("model_grader_server_error", str(error)) for _ in questions]


def _outcome(model: str, answer: Answer | Silence, reads: Callable[[Json], Outcome]) -> Outcome:
    if isinstance(answer, Silence):
        return Outcome(None, Flagged(answer.flag, answer.reason).errors)
    try:
        return reads(_object(answer))
    except Unreadable as error:
        why = "ran out of tokens" if answer.was_cut else str(error)
        details = f"The answer of the judge “{model}” cannot be read ({why}): {answer.text.strip()[:200]}"
        return Outcome(None, Flagged("model_grader_parse_error", details).errors)


_FENCED = re.compile(r"```(?:json)?\s*(.*?)```", re.DOTALL)
_THOUGHTS = re.compile(r"^\s*<think>.*?</think>", re.DOTALL)


def _object(answer: Answer) -> Json:
    """The JSON object of an answer, also where a server without structured output wraps it in words."""
    text = _THOUGHTS.sub("", answer.text)
    fenced = _FENCED.findall(text)
    for tried in [text, *reversed(fenced), text[text.find("{") : text.rfind("}") + 1]]:
        try:
            found = json.loads(tried)
        except (ValueError, RecursionError):
            continue
        if isinstance(found, dict):
            return found
    raise Unreadable("no JSON object")


def _openais(sampling: SamplingParams | None) -> Json:
    """As OpenAI's chat completions call them."""
    given = sampling.model_dump(exclude_none=True) if sampling else {}
    return {{"max_completions_tokens": "max_completion_tokens"}.get(key, key): value for key, value in given.items()}


def number(answer: Json, field: str) -> float:
    """Raises Unreadable."""
    value = answer.get(field)
    if isinstance(value, bool) or not isinstance(value, int | float) or not -1e300 < value < 1e300:
        raise Unreadable(f"“{field}” is no number")
    return float(value)


def steps(answer: Json) -> list[JsonValue]:
    """The judge's reasons, as far as it gave any."""
    given = answer.get("steps")
    return [*filter(_is_object, given)][:50] if isinstance(given, list) else []


def _is_object(value: JsonValue) -> bool:
    return isinstance(value, dict)


def filled(read: Read, sample: Sample, item: Item) -> list[Message]:
    return list(read(sample, item))
