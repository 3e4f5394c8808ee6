"""What a model said, as graders read it."""

import json
from collections.abc import Mapping

from pydantic import JsonValue

Said = str | Mapping[str, JsonValue]


def sample_of(said: Said) -> dict[str, JsonValue]:
    """A sample with OpenAI's keys from a text, from a chat message, or from a part of these keys.

    `output_text`, `output_tools` (tool calls), `choices`, and `output_json` where the text is a JSON object or list.
    What is given stays as it is.
    """
    given: dict[str, JsonValue] = {"output_text": said} if isinstance(said, str) else dict(said)
    if "output_text" not in given and ("content" in given or "tool_calls" in given):
        given = _of_message(given)
    text, tools = given.get("output_text"), given.get("output_tools")
    sample = dict(given)
    if "choices" not in sample:
        message: dict[str, JsonValue] = {"role": "assistant", "content": text}
        sample["choices"] = [{"index": 0, "message": message | ({"tool_calls": tools} if tools else {})}]
    if "output_json" not in sample and isinstance(text, str) and (found := _json(text)) is not None:
        sample["output_json"] = found
    return sample


def _of_message(message: dict[str, JsonValue]) -> dict[str, JsonValue]:
    """An assistant's message; its content may be a list of parts."""
    content, tools = message.get("content"), message.get("tool_calls")
    if isinstance(content, list):
        content = "".join(str(part.get("text") or "") for part in content if isinstance(part, dict))
    sample: dict[str, JsonValue] = {"output_text": content or ""}
    if tools:
        sample["output_tools"] = tools
    return sample


def _json(text: str) -> JsonValue:
    if text.lstrip()[:1] not in ("{", "["):
        return None
    try:
        found: JsonValue = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found
