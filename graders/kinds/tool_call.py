"""The grader that compares tool calls."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from graders.json_schema import typed
from graders.problem import quoted
from graders.receipt import Evidence, Flagged, Item, Outcome, Sample, Score
from graders.schema.structure import ToolCall
from graders.template import compile_template

NAME_CREDIT = 0.1
MAX_CALLS = 100


@dataclass(frozen=True)
class Call:
    """One call of a tool. Without arguments: they could not be read."""

    name: str
    arguments: Mapping[str, object] | None

    def to_json(self) -> str:
        return quoted(f"{self.name}({json.dumps(self.arguments, ensure_ascii=False) if self.arguments else ''})")


def tool_call(grader: ToolCall) -> Score:
    """1 when the calls agree in number, names and arguments; with partial credit, the mean over the larger number.

    Calls stand in `sample.output_tools`, or without that as `<tool_call>` blocks in `sample.output_text`. Arguments
    are typed: 5 and 5.0 are the same, "5" and 5 are not, true and 1 are not. A model's call that cannot be read is a
    wrong call and no error; a reference that cannot is flagged with other_error.
    """
    reference = compile_template(grader.reference)

    def score(sample: Sample, item: Item) -> Outcome:
        right, made = _right_calls(reference(sample, item)), _made_calls(sample)
        if max(len(right), len(made)) > MAX_CALLS:
            raise Flagged("other_error", f"More than {MAX_CALLS} tool calls are not compared.")
        credits = _credits(right, made, grader.arguments, grader.order)
        share = sum(credits) / max(len(right), len(made)) if right or made else 1.0
        if share == 1:
            return Outcome(1.0)
        evidence: Evidence = {
            "called": [call.to_json() for call in made[:5]],
            "right": [call.to_json() for call in right[:5]],
        }
        return Outcome(share if grader.partial_credit else 0.0, evidence=evidence)

    return score


Mode = Literal["exact", "subset", "ignore"]


def _credits(right: list[Call], made: list[Call], mode: Mode, order: Literal["same", "any"]) -> list[float]:
    """What each of the right calls is worth, from 0 to 1. In any order, the best pairs are taken first."""
    if order == "same":
        return [_credit(wanted, call, mode) for wanted, call in zip(right, made, strict=False)]
    pairs = [(_credit(wanted, call, mode), -n, -m) for n, wanted in enumerate(right) for m, call in enumerate(made)]
    credits, taken_right, taken_made = [], set(), set()
    for credit, n, m in sorted(pairs, reverse=True):
        if n not in taken_right and m not in taken_made:
            taken_right.add(n)
            taken_made.add(m)
            credits.append(credit)
    return credits


def _credit(wanted: Call, call: Call, mode: Mode) -> float:
    if wanted.name != call.name:
        return 0.0
    if mode == "ignore":
        return 1.0
    if call.arguments is None or wanted.arguments is None:
        return NAME_CREDIT
    keys = wanted.arguments.keys() | (call.arguments.keys() if mode == "exact" else ())
    agreeing = sum(_agree(wanted.arguments, call.arguments, key) for key in keys)
    if agreeing == len(keys):
        return 1.0
    return NAME_CREDIT + (1 - NAME_CREDIT) * agreeing / len(keys)


def _agree(wanted: Mapping[str, object], given: Mapping[str, object], key: str) -> bool:
    return key in wanted and key in given and typed(wanted[key]) == typed(given[key])


def _right_calls(text: str) -> list[Call]:
    try:
        calls = _calls(json.loads(text) if text.strip() else [])
        for call in calls:
            typed(call.arguments)
    except (ValueError, RecursionError):
        raise Flagged("other_error", f"The reference “{quoted(text)}” is no JSON of tool calls.") from None
    if any(not call.name or call.arguments is None for call in calls):
        raise Flagged("other_error", f"In the reference “{quoted(text)}” a call has no name or no arguments.")
    return calls


def _made_calls(sample: Sample) -> list[Call]:
    if "output_tools" in sample:
        calls = _calls(sample["output_tools"] or [])
    elif isinstance(text := sample.get("output_text"), str):
        calls = [_read(block) for block in _written(text)]
    else:
        raise Flagged("invalid_variable_error", "There is neither “sample.output_tools” nor “sample.output_text” here.")
    return [_shallow(call) for call in calls]


def _written(text: str) -> list[str]:
    """The calls in a text, as Qwen, Hermes and others write them."""
    blocks = [part.partition("</tool_call>") for part in text.split("<tool_call>")[1:]]
    return [inside for inside, closing, _ in blocks if closing]


def _shallow(call: Call) -> Call:
    """Without arguments that nest too deep to be compared."""
    try:
        typed(call.arguments)
    except RecursionError:
        return Call(call.name, None)
    return call


def _read(block: str) -> Call:
    try:
        return _call(json.loads(block))
    except (ValueError, RecursionError):
        return Call("", None)


def _calls(found: object) -> list[Call]:
    return (
        [_call(one) for one in found] if isinstance(found, Sequence) and not isinstance(found, str) else [_call(found)]
    )


def _call(found: object) -> Call:
    """From `{"name", "arguments"}`, alone or below OpenAI's `function`; arguments may be JSON in a string."""
    if isinstance(found, Mapping) and isinstance(found.get("function"), Mapping):
        found = found["function"]
    if not isinstance(found, Mapping) or not isinstance(found.get("name"), str):
        return Call("", None)
    arguments = found.get("arguments", {})
    if isinstance(arguments, str):
        try:
            arguments = json.loads(arguments or "{}")
        except (ValueError, RecursionError):
            arguments = None
    return Call(found["name"], arguments if isinstance(arguments, Mapping) else None)
