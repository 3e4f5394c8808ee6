"""The conversation that a model is asked about: of the sample, or put together from templates."""

from collections.abc import Callable, Mapping, Sequence

from graders.port import Conversation, Message
from graders.receipt import Flagged, Item, Sample
from graders.schema import Turn
from graders.template import compile_template

Read = Callable[[Sample, Item], Conversation]


def conversation_of(turns: Sequence[Turn] | None) -> Read:
    """These messages, filled in; without any, the row's prompt and the answer to it. The function raises Flagged."""
    if not turns:
        return _prompt_and_answer
    compiled = [(turn.role, compile_template(turn.content)) for turn in turns]
    return lambda sample, item: [{"role": role, "content": text(sample, item)} for role, text in compiled]


def _prompt_and_answer(sample: Sample, item: Item) -> Conversation:
    prompt, answer = sample.get("prompt"), sample.get("output_text")
    if not isinstance(prompt, list | tuple):
        raise Flagged("invalid_variable_error", "There is no “sample.prompt” here: the messages that were answered.")
    if not isinstance(answer, str):
        raise Flagged("invalid_variable_error", "There is no “sample.output_text” here.")
    return [*map(_message, prompt), {"role": "assistant", "content": answer}]


def _message(turn: object) -> Message:
    role, content = (turn.get("role"), turn.get("content")) if isinstance(turn, Mapping) else (None, None)
    if not isinstance(role, str) or not isinstance(content, str):
        raise Flagged("invalid_variable_error", "“sample.prompt” is not a list of messages with role and content.")
    return {"role": role, "content": content}
