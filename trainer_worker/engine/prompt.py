"""What a model reads of a request, and how much it may write."""

import json
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from contracts.completion import Ask, Turn
from contracts.fault import Fault
from contracts.tools import Function, Tool
from trainer_worker.engine.grammar import OPEN, toolbox_of

PROBE = Tool(type="function", function=Function(name="probe_of_the_template"))
XML = "<function="
"""Some templates (Qwen3-Coder's) have calls written in XML within the same marks."""
BEGINNING = 8
"""Characters for each token of the context: few texts have longer tokens."""
CUT = 64
"""Tokens that a cut in the midst of a word may bring, at the very most."""
Message = dict[str, Any]  # Any: JSON


@dataclass
class Reader:
    tokenizer: Any  # Any: transformers does not type its tokenizers
    context: int
    """Longest sequence in tokens."""
    vocabulary: int

    def read(self, ask: Ask) -> list[int]:
        """Token ids.

        Raises:
            Fault: completion.no_template, .template_failed, .no_tools, .calls_unread, .empty, .token_unknown or
                .too_long.
        """
        ids = self._ids(ask)
        if not ids:
            raise Fault("completion.empty", field="messages" if ask.turns else "prompt")
        if len(ids) >= self.context:
            raise Fault(
                "completion.too_long",
                field="messages" if ask.turns else "prompt",
                context=self.context,
                tokens=len(ids),
            )
        return ids

    def longest(self, ask: Ask, prompt: list[int]) -> int:
        """Tokens that may follow. Raises Fault completion.no_room."""
        left, wanted = self.context - len(prompt), ask.sampling.max_tokens
        if wanted is not None and wanted > left:
            raise Fault(
                "completion.no_room",
                field="max_tokens",
                context=self.context,
                tokens=len(prompt),
                wanted=wanted,
            )
        return left if wanted is None else wanted

    def _ids(self, ask: Ask) -> list[int]:
        if ask.ids is not None:
            return self._known(ask.ids)
        text, is_rendered = (ask.text, False) if ask.text is not None else (self._rendered(ask), True)
        self._look_at_beginning(text, "messages" if is_rendered else "prompt")
        return list(self.tokenizer(text, add_special_tokens=not is_rendered)["input_ids"])

    def _look_at_beginning(self, text: str, field: str) -> None:
        """Others wait while a prompt is read, and one of 10 MB takes half a minute. Where its beginning is too long
        already, the tokens of the whole are projected from it. Raises Fault completion.too_long."""
        characters = BEGINNING * self.context
        while characters < len(text):
            found = len(self.tokenizer(text[:characters], add_special_tokens=False)["input_ids"])
            if found >= self.context + CUT:
                tokens = round(found * len(text) / characters)
                raise Fault("completion.too_long", field=field, context=self.context, tokens=tokens)
            characters *= 4

    def _known(self, ids: tuple[int, ...]) -> list[int]:
        for token in ids:
            if token >= self.vocabulary:
                raise Fault("completion.token_unknown", field="prompt", token=token, tokens=self.vocabulary)
        return list(ids)

    def _rendered(self, ask: Ask) -> str:
        if not self.tokenizer.chat_template:
            raise Fault("completion.no_template", field="messages")
        toolbox = toolbox_of(ask)
        if (toolbox is not None or any(turn.calls for turn in ask.turns)) and not self._knows_tools:
            raise Fault("completion.no_tools", field="messages" if toolbox is None else "tools")
        if toolbox is not None and not toolbox.is_forced and not self._calls_as_we_read:
            raise Fault("completion.calls_unread", field="tool_choice")
        # OpenAI's newer name for the system's role; few templates know it.
        knows = "developer" in str(self.tokenizer.chat_template)
        roles = {"developer": "developer" if knows else "system"}
        turns = [_message(turn) | {"role": roles.get(turn.role, turn.role)} for turn in ask.turns]
        try:
            return _readable(self._written(turns, toolbox.tools if toolbox else ()))
        except Exception as error:  # a template is a program of the model's own
            detail = str(error)[:300] or type(error).__name__
            raise Fault("completion.template_failed", field="messages", detail=detail) from error

    def _written(self, turns: list[Message], tools: tuple[Tool, ...]) -> str:
        known = [tool.model_dump(exclude_none=True) for tool in tools] or None
        return str(self.tokenizer.apply_chat_template(turns, known, tokenize=False, add_generation_prompt=True))

    @cached_property
    def _knows_tools(self) -> bool:
        """Whether the template writes them down: one that does not would leave them out in silence."""
        try:
            return PROBE.function.name in self._written([{"role": "user", "content": "?"}], (PROBE,))
        except Exception:  # it wants something that a probe does not have
            return False

    @cached_property
    def _calls_as_we_read(self) -> bool:
        return OPEN in str(self.tokenizer.chat_template) and XML not in str(self.tokenizer.chat_template)


def _readable(text: str) -> str:
    """Without halves of UTF-16 pairs, which tokenizers break on: the arguments of a call may hold one, escaped."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _message(turn: Turn) -> Message:
    """As templates take them: what a call is given is an object, where OpenAI has a text."""
    message: Message = {"role": turn.role, "content": turn.content}
    if turn.tool_call_id is not None:
        message["tool_call_id"] = turn.tool_call_id
    if turn.calls:
        called = [(call.id, call.function.name, json.loads(call.function.arguments)) for call in turn.calls]
        message["tool_calls"] = [
            {"id": id_, "type": "function", "function": {"name": name, "arguments": arguments}}
            for id_, name, arguments in called
        ]
    return message
