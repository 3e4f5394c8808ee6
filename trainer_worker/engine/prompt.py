"""What a model reads of a request, and how much it may write."""

from dataclasses import dataclass
from typing import Any

from contracts.completion import Ask
from contracts.fault import Fault


@dataclass(frozen=True)
class Reader:
    tokenizer: Any  # Any: transformers does not type its tokenizers
    context: int
    """Longest sequence in tokens."""
    vocabulary: int

    def read(self, ask: Ask) -> list[int]:
        """Token ids. Raises Fault completion.no_template, .template_failed, .empty, .token_unknown or .too_long."""
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
        return list(self.tokenizer(text, add_special_tokens=not is_rendered)["input_ids"])

    def _known(self, ids: tuple[int, ...]) -> list[int]:
        for token in ids:
            if token >= self.vocabulary:
                raise Fault("completion.token_unknown", field="prompt", token=token, tokens=self.vocabulary)
        return list(ids)

    def _rendered(self, ask: Ask) -> str:
        template = self.tokenizer.chat_template
        if not template:
            raise Fault("completion.no_template", field="messages")
        # OpenAI's newer name for the system's role; few templates know it.
        knows = "developer" in str(template)
        roles = {"developer": "developer" if knows else "system"}
        turns = [{"role": roles.get(turn.role, turn.role), "content": turn.content} for turn in ask.turns]
        try:
            return str(self.tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True))
        except Exception as error:  # a template is a program of the model's own
            detail = str(error)[:300] or type(error).__name__
            raise Fault("completion.template_failed", field="messages", detail=detail) from error
