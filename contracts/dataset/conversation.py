"""Reading turns of a conversation out of a row: text, lists of messages, OpenAI's `input`."""

from typing import Literal, cast

from pydantic import JsonValue

from contracts import Contract

MessageRole = Literal["system", "developer", "user", "assistant", "tool"]


class Message(Contract):
    """One turn of a conversation."""

    role: MessageRole
    content: str


Turns = tuple[Message, ...]


def conversation(value: JsonValue, column: str) -> Turns:
    """A list of messages. Raises ValueError with a sentence that names the place."""
    if not isinstance(value, list) or not value:
        raise ValueError(f"“{column}” is not a list of messages")
    return tuple(_message(turn, f"{column}[{n}]") for n, turn in enumerate(value))


def question(value: JsonValue, column: str) -> Turns:
    """A prompt: one text, a list of messages, or OpenAI's `{"messages": …}`. Raises ValueError."""
    if isinstance(value, dict):
        if value.get("tools"):
            raise ValueError(f"“{column}.tools” is not empty, and tools are not supported yet")
        return conversation(value.get("messages"), f"{column}.messages")
    if isinstance(value, list):
        return conversation(value, column)
    return (Message(role="user", content=str(value)),)


def _message(value: JsonValue, place: str) -> Message:
    if not isinstance(value, dict):
        raise ValueError(f"“{place}” is not a message with role and content")
    if value.get("tool_calls") or value.get("function_call"):
        raise ValueError(f"“{place}” calls a tool, and tools are not supported yet")
    role, content = value.get("role"), value.get("content")
    if role not in ("system", "developer", "user", "assistant", "tool"):
        raise ValueError(f"“{place}.role” is not one of system, developer, user, assistant, tool")
    if isinstance(content, list):
        content = "".join(_part(part, place) for part in content)
    if not isinstance(content, str):
        raise ValueError(f"“{place}.content” is not text")
    return Message.model_construct(role=cast(MessageRole, role), content=content)


def _part(part: JsonValue, place: str) -> str:
    if isinstance(part, dict) and isinstance(text := part.get("text"), str):
        return text
    raise ValueError(f"“{place}.content” holds something that is not text")
