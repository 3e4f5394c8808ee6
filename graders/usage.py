"""What asking a model took."""

from typing import NamedTuple


class Usage(NamedTuple):
    """Tokens, requests and money, of one answer or of many."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached_tokens: int = 0
    """Of the prompt's tokens, those that the model's server had read before."""
    calls: int = 0
    """Requests that were sent. An answer from our own cache takes none, and no tokens."""
    cost: float = 0.0
    """In the currency in which the model's prices are given; 0 without prices."""

    def plus(self, other: "Usage") -> "Usage":
        return Usage(
            self.prompt_tokens + other.prompt_tokens,
            self.completion_tokens + other.completion_tokens,
            self.cached_tokens + other.cached_tokens,
            self.calls + other.calls,
            self.cost + other.cost,
        )


NOTHING = Usage()
