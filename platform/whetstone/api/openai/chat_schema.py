"""What models write, as OpenAI's objects. The API's document is written from these."""

from typing import Literal, NotRequired

from typing_extensions import TypedDict  # Pydantic reads no other before Python 3.12

from contracts.completion import FinishReason
from whetstone.api.answers import described


class TokenUsageJson(TypedDict):
    prompt_tokens: int
    completion_tokens: int
    total_tokens: int


@described
class TokenJson(TypedDict):
    token: str
    logprob: float
    """Under the model's own distribution: before temperature, penalties, `top_p` and `response_format`."""
    bytes: list[int]


class ToldTokenJson(TokenJson):
    top_logprobs: list[TokenJson]


class ChatLogprobsJson(TypedDict):
    content: list[ToldTokenJson]
    refusal: None


@described
class CalledJson(TypedDict):
    name: str
    arguments: str
    """A JSON object. Where the answer was cut, its beginning."""


class ToolCallJson(TypedDict):
    id: str
    type: Literal["function"]
    function: CalledJson


@described
class ChatMessageJson(TypedDict):
    role: Literal["assistant"]
    content: str | None
    """null where tools are called and nothing is said."""
    refusal: None
    tool_calls: NotRequired[list[ToolCallJson]]
    """Where there are some."""


class ChatChoiceJson(TypedDict):
    index: int
    message: ChatMessageJson
    logprobs: ChatLogprobsJson | None
    finish_reason: FinishReason | None


class ChatCompletionJson(TypedDict):
    """An answer in one piece. Streamed, it comes as `chat.completion.chunk` objects in server-sent events."""

    id: str
    object: Literal["chat.completion"]
    created: int
    model: str
    service_tier: Literal["default"]
    choices: list[ChatChoiceJson]
    usage: TokenUsageJson


class TextLogprobsJson(TypedDict):
    tokens: list[str]
    token_logprobs: list[float]
    top_logprobs: list[dict[str, float]]
    text_offset: list[int]


class TextChoiceJson(TypedDict):
    index: int
    text: str
    logprobs: TextLogprobsJson | None
    finish_reason: FinishReason | None


class TextCompletionJson(TypedDict):
    """What follows each prompt. Streamed, it comes as objects of the same form without `usage`."""

    id: str
    object: Literal["text_completion"]
    created: int
    model: str
    choices: list[TextChoiceJson]
    usage: TokenUsageJson
