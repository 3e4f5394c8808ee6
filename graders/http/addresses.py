"""A judge as it is reached: where, under which name, with which key, how fast, and what it costs."""

from dataclasses import dataclass, field

from graders.usage import Usage


@dataclass(frozen=True)
class JudgeAddress:
    """Any server that speaks OpenAI's API."""

    name: str
    """As graders call it."""
    base_url: str
    """Like https://api.openai.com/v1; what is asked for is added to it."""
    model: str
    """As the server calls it."""
    key: str = field(default="", repr=False)
    at_once: int = 8
    max_rps: float | None = None
    timeout_s: float = 120.0
    prompt_price: float = 0.0
    """Of a million tokens."""
    completion_price: float = 0.0
    is_here: bool = False
    """A model of the platform that asks: reached at its own address alone, and told in words how to answer."""

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.key}"} if self.key else {}

    def url(self, path: str) -> str:
        return f"{self.base_url.rstrip('/')}/{path}"

    def usage(self, told: object) -> Usage:
        """What one answer says it took, with its cost."""
        prompt, completion = _count(told, "prompt_tokens"), _count(told, "completion_tokens")
        details = told.get("prompt_tokens_details") if isinstance(told, dict) else None
        cost = (prompt * self.prompt_price + completion * self.completion_price) / 1e6
        return Usage(prompt, completion, _count(details, "cached_tokens"), 1, cost)


def _count(told: object, name: str) -> int:
    value = told.get(name) if isinstance(told, dict) else None
    return value if isinstance(value, int) and value > 0 else 0
