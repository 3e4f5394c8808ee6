"""What `/v1/chat/completions` and `/v1/completions` take: OpenAI's fields, those that change nothing here included."""

import json
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, JsonValue, model_validator

from contracts import Contract
from contracts.completion import MOST_ALTERNATIVES, MOST_CHOICES, MOST_STOPS, Sampling, Stop, Turn
from contracts.tools import MOST_CALLS, MOST_TOOLS, Form, FunctionCall, Named, Schema, Tool, Toolbox


def _nothing(value: JsonValue) -> None:
    """What an answer of the API holds where it has none of something may be sent back with the next question."""
    if value not in (None, [], {}, False, ""):
        raise ValueError("The models here cannot do this yet: leave it out.")


Nothing = Annotated[JsonValue, AfterValidator(_nothing)]
Ignored = JsonValue


class TextPart(Contract):
    type: Literal["text"]
    text: str


def _text_alone(content: Any) -> Any:  # Any: whatever was sent
    """Says what is wrong with a part, where a union would say that it is no string."""
    for part in content if isinstance(content, list) else ():
        kind = part.get("type") if isinstance(part, dict) else part
        if kind != "text":
            raise ValueError(f"The models here read text alone, and no part of the type “{kind}”.")
    return content


def _listed(stop: Any) -> Any:
    return [stop] if isinstance(stop, str) else stop


Stops = Annotated[list[Stop], Field(max_length=MOST_STOPS)]


def _of_object(call: FunctionCall) -> FunctionCall:
    """Chat templates read an object."""
    try:
        arguments = json.loads(call.function.arguments)
    except (ValueError, RecursionError):
        arguments = None
    if not isinstance(arguments, dict):
        raise ValueError("The arguments of a call are a JSON object, written as a text.")
    return call


class Message(Contract):
    role: Literal["system", "developer", "user", "assistant", "tool"]
    content: Annotated[str | list[TextPart] | None, BeforeValidator(_text_alone)] = None
    """May be left out where an assistant calls tools."""
    tool_calls: list[Annotated[FunctionCall, AfterValidator(_of_object)]] | None = Field(None, max_length=MOST_CALLS)
    """That an assistant made, as its answer had them."""
    tool_call_id: str | None = Field(None, min_length=1, max_length=256)
    """Of the call that a tool answers."""
    name: Ignored = None
    refusal: Nothing = None
    annotations: Nothing = None
    audio: Nothing = None
    function_call: Nothing = None
    reasoning_content: Ignored = None

    @model_validator(mode="after")
    def calls_fit_the_role(self) -> "Message":
        if self.tool_calls and self.role != "assistant":
            raise ValueError("An assistant alone calls tools.")
        if (self.tool_call_id is not None) != (self.role == "tool"):
            raise ValueError("tool_call_id belongs to a message of the role “tool”, which says what it answers.")
        if self.content is None and not self.tool_calls:
            raise ValueError("A message without content is one that calls tools.")
        return self

    def turn(self) -> Turn:
        parts = self.content or ""
        text = parts if isinstance(parts, str) else "".join(part.text for part in parts)
        return Turn(role=self.role, content=text, calls=tuple(self.tool_calls or ()), tool_call_id=self.tool_call_id)


class StreamOptions(Contract):
    include_usage: bool = False
    include_obfuscation: Ignored = None


class PlainText(Contract):
    type: Literal["text"]


class JsonObject(Contract):
    """Any JSON object."""

    type: Literal["json_object"]


class NamedSchema(Contract):
    name: Named
    description: str | None = None
    schema_: Schema | None = Field(None, alias="schema")
    """JSON Schema that the answer keeps to. Left out: any object."""
    strict: bool | None = None
    """true: refuse a schema with keywords that the engine cannot hold an answer to. Else these are left out."""


class JsonOfSchema(Contract):
    """JSON that keeps to a schema."""

    type: Literal["json_schema"]
    json_schema: NamedSchema


ResponseFormat = Annotated[PlainText | JsonObject | JsonOfSchema, Field(discriminator="type")]


class NamedTool(Contract):
    name: Named


class ChosenTool(Contract):
    """The one function that is to be called."""

    type: Literal["function"]
    function: NamedTool


class _Request(Contract):
    """What both routes share."""

    model: str = Field(min_length=1, max_length=256)
    """A model of the hub, or a checkpoint by its name. It is loaded when it is asked for the first time."""
    temperature: float | None = Field(None, ge=0, le=2)
    top_p: float | None = Field(None, gt=0, le=1)
    n: int | None = Field(None, ge=1, le=MOST_CHOICES)
    stop: Annotated[Stops | None, BeforeValidator(_listed, str | list[str] | None)] = None
    seed: int | None = Field(None, ge=-(2**63), le=2**63 - 1)
    max_tokens: int | None = Field(None, ge=1)
    presence_penalty: float | None = Field(None, ge=-2, le=2)
    frequency_penalty: float | None = Field(None, ge=-2, le=2)
    logit_bias: dict[int, Annotated[float, Field(ge=-100, le=100)]] | None = Field(None, max_length=1024)
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    user: Ignored = None

    def _sampling(self, max_tokens: int | None, alternatives: int | None) -> Sampling:
        return Sampling(
            max_tokens=max_tokens,
            temperature=1.0 if self.temperature is None else self.temperature,
            top_p=self.top_p or 1.0,
            stop=tuple(self.stop or ()),
            seed=self.seed,
            presence_penalty=self.presence_penalty or 0.0,
            frequency_penalty=self.frequency_penalty or 0.0,
            logit_bias=self.logit_bias or {},
            alternatives=alternatives,
        )

    @property
    def wants_usage(self) -> bool:
        return self.stream_options is not None and self.stream_options.include_usage


class ChatRequest(_Request):
    messages: list[Message] = Field(min_length=1, max_length=10_000)
    max_completion_tokens: int | None = Field(None, ge=1)
    logprobs: bool | None = None
    top_logprobs: int | None = Field(None, ge=0, le=MOST_ALTERNATIVES)
    response_format: ResponseFormat | None = None
    """What the answer is held to. It is cut all the same when `max_tokens` are written: `finish_reason` is “length”."""
    modalities: list[Literal["text"]] | None = None
    tools: list[Tool] | None = Field(None, max_length=MOST_TOOLS)
    """Functions that the model may call, where its chat template knows tools."""
    tool_choice: Literal["none", "auto", "required"] | ChosenTool | None = None
    """“auto”, when it is left out: the model says something or calls. “required”: it calls. Or which one it calls."""
    functions: Nothing = None
    function_call: Literal["none", "auto"] | None = None
    audio: Nothing = None
    prediction: Nothing = None
    web_search_options: Nothing = None
    parallel_tool_calls: bool | None = None
    """false: one call in an answer at most."""
    metadata: Ignored = None
    moderation: Ignored = None
    prompt_cache_key: Ignored = None
    prompt_cache_options: Ignored = None
    prompt_cache_retention: Ignored = None
    reasoning_effort: Ignored = None
    safety_identifier: Ignored = None
    service_tier: Ignored = None
    store: Ignored = None
    verbosity: Ignored = None

    @model_validator(mode="after")
    def logprobs_are_asked_for(self) -> "ChatRequest":
        if self.top_logprobs is not None and not self.logprobs:
            raise ValueError("top_logprobs takes logprobs=true")
        return self

    @model_validator(mode="after")
    def tools_are_named_once(self) -> "ChatRequest":
        names = [tool.function.name for tool in self.tools or ()]
        if len(set(names)) < len(names):
            raise ValueError("tools: every function has a name of its own")
        if not names and self.tool_choice not in (None, "none", "auto"):
            raise ValueError("tool_choice takes tools")
        if isinstance(self.tool_choice, ChosenTool) and self.tool_choice.function.name not in names:
            raise ValueError("tool_choice names a function that is not among the tools")
        return self

    def asked(self) -> dict[str, Any]:  # Any: fields of an Ask
        """As an Ask takes it."""
        return {
            "turns": self.turns(),
            "toolbox": self._toolbox(),
            "form": self._form(),
            "choices": self.n or 1,
            "sampling": self.sampling(),
            "in_pieces": bool(self.stream),
        }

    def _toolbox(self) -> Toolbox | None:
        if not self.tools:
            return None
        one = self.tool_choice.function.name if isinstance(self.tool_choice, ChosenTool) else None
        choice = self.tool_choice if isinstance(self.tool_choice, str) else "auto"
        in_parallel = self.parallel_tool_calls is not False
        return Toolbox(tools=tuple(self.tools), choice=choice, named=one, in_parallel=in_parallel)

    def _form(self) -> Form | None:
        asked = self.response_format
        if isinstance(asked, JsonOfSchema):
            about = asked.json_schema
            return Form(name=about.name, document=about.schema_, description=about.description, strict=about.strict)
        return Form() if isinstance(asked, JsonObject) else None

    def turns(self) -> tuple[Turn, ...]:
        return tuple(message.turn() for message in self.messages)

    def sampling(self) -> Sampling:
        return self._sampling(self.max_completion_tokens or self.max_tokens, self._alternatives)

    @property
    def _alternatives(self) -> int | None:
        return (self.top_logprobs or 0) if self.logprobs else None


Ids = Annotated[list[Annotated[int, Field(ge=0)]], Field(min_length=1)]
MOST_PROMPTS = 64


class CompletionRequest(_Request):
    prompt: str | Ids | Annotated[list[str] | list[Ids], Field(min_length=1, max_length=MOST_PROMPTS)]
    """Text or token ids, one or several."""
    echo: bool | None = None
    logprobs: int | None = Field(None, ge=0, le=5)
    suffix: Nothing = None
    best_of: int | None = Field(None, ge=1, le=MOST_CHOICES)

    @model_validator(mode="after")
    def best_is_all(self) -> "CompletionRequest":
        if self.best_of is not None and self.best_of != (self.n or 1):
            raise ValueError("best_of other than n is not done here: ask for n answers and choose")
        if self.echo and self.logprobs is not None:
            raise ValueError("log-probabilities of the prompt are not told here: leave out echo or logprobs")
        return self

    def prompts(self) -> list[dict[str, Any]]:  # Any: fields of an Ask
        """One for each, as an Ask takes them."""
        first = self.prompt if isinstance(self.prompt, str) else self.prompt[0]
        many: list[Any] = [self.prompt] if isinstance(self.prompt, str) or isinstance(first, int) else [*self.prompt]
        return [{"text": one} if isinstance(one, str) else {"ids": tuple(one)} for one in many]

    def sampling(self) -> Sampling:
        return self._sampling(self.max_tokens or 16, self.logprobs)
