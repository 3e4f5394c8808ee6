"""What an answer may be, as a grammar of llguidance: JSON of a schema, calls of tools, or a text with calls behind it.

Calls are written as Hermes' and Qwen's templates teach them:
`<tool_call>\\n{"name": "f", "arguments": {…}}\\n</tool_call>`.
"""

import json

from pydantic import JsonValue

from contracts.completion import Ask
from contracts.tools import Form, Function, Schema, Toolbox

OPEN, CLOSE = "<tool_call>", "</tool_call>"
NEXT = f"\n{OPEN}"
HEAD, BETWEEN, FOOT = '\n{"name": "', '", "arguments": ', f"}}\n{CLOSE}"
OBJECT: Schema = {"type": "object"}
# Blanks without an end would be JSON as well, and small models love them.
SEPARATORS: dict[str, JsonValue] = {"whitespace_flexible": False, "item_separator": ", ?", "key_separator": ": ?"}


def grammar_of(ask: Ask) -> str | None:
    """In Lark's notation. None: the answer is free."""
    if (calls := toolbox_of(ask)) is not None:
        return _with_calls(calls, ask.form)
    return None if ask.form is None else f"start: {_form(ask.form)}\n"


def toolbox_of(ask: Ask) -> Toolbox | None:
    """The tools that this answer may call."""
    return None if ask.toolbox is None or ask.toolbox.choice == "none" else ask.toolbox


def _with_calls(toolbox: Toolbox, form: Form | None) -> str:
    functions = toolbox.callable_now
    again = f"({_text(NEXT)} body)*" if toolbox.in_parallel and toolbox.named is None else ""
    called = f"{_text(OPEN)} body {again}"
    if toolbox.is_forced:
        start = [f"start: {called}"]
    elif form is not None:
        start = [f"start: {_form(form)} | {called}"]
    else:  # the text before a call ends with the first mark of one
        start = [f"start: TEXT | opened body {again}", f"opened[lazy]: TEXT {_text(OPEN)}", "TEXT: /(.|\\n)*/"]
    bodies = [f"body_{n}: {_body(one)}" for n, one in enumerate(functions)]
    body = f"body: {' | '.join(f'body_{n}' for n in range(len(functions)))}"
    return "\n".join([*start, body, *bodies]) + "\n"


def _body(function: Function) -> str:
    arguments = _json(OBJECT | (function.parameters or {}), function.strict)
    return f"{_text(HEAD + function.name + BETWEEN)} {arguments} {_text(FOOT)}"


def _form(form: Form) -> str:
    return _json(OBJECT if form.document is None else form.document, form.strict)


def _json(schema: Schema, strict: bool | None) -> str:
    return "%json " + json.dumps(schema | {"x-guidance": SEPARATORS | {"lenient": not strict}})


def _text(text: str) -> str:
    return json.dumps(text)
