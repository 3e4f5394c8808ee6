"""What of a model's config decides how much memory and time it takes."""

from collections.abc import Mapping
from typing import Any

from contracts import Contract

Config = Mapping[str, Any]  # Any: a model's config.json
SENSES = ("vision_config", "audio_config", "speech_config", "image_config")
NORMED = ("qwen3", "gemma3", "olmo2", "olmo3")
"""Architectures that normalise queries and keys, by the beginning of their model_type."""


class Shape(Contract):
    """Widths and counts of a decoder."""

    parameters: int
    """All of them: what lies in memory."""
    layers: int
    hidden: int
    intermediate: int
    """Width of the feed-forward part that one token passes; of a mixture, of its chosen experts together."""
    query: int
    """Width of all query heads together."""
    key_value: int
    """Width of all key heads together; the values' is the same."""
    vocabulary: int
    normed: bool = False
    """Queries and keys are normalised, which keeps two more copies of both for the backward pass."""
    resting: int = 0
    """Parameters of the experts that a token does not pass. 0 where there is no mixture."""

    @property
    def active(self) -> int:
        """Parameters that work on one token: what takes time."""
        return self.parameters - self.resting

    @classmethod
    def of(cls, config: Config, parameters: int) -> "Shape":
        """From a config.json. Raises ValueError, with a reason, for one that does not describe a decoder of text."""
        if sense := next((name for name in SENSES if isinstance(config.get(name), Mapping)), None):
            raise ValueError(f"this model does more than read text: it has a {sense}")
        text = config.get("text_config", config)
        try:
            return _shape(text, parameters)
        except (AttributeError, KeyError, TypeError, ValueError, ArithmeticError) as error:
            raise ValueError(f"this config describes no decoder: {error}") from error


def _shape(text: Config, parameters: int) -> Shape:
    hidden = int(_first(text, "hidden_size", "n_embd"))
    heads = int(_first(text, "num_attention_heads", "n_head"))
    head = int(text.get("head_dim") or hidden // heads)
    layers = int(_first(text, "num_hidden_layers", "n_layer"))
    width, resting = _feed_forward(text, hidden, layers)
    shape = Shape(
        parameters=parameters,
        layers=layers,
        hidden=hidden,
        intermediate=width,
        query=heads * head,
        key_value=int(text.get("num_key_value_heads") or heads) * head,
        vocabulary=int(text["vocab_size"]),
        normed=str(text.get("model_type", "")).startswith(NORMED),
        resting=min(resting, parameters),
    )
    if min(shape.layers, shape.hidden, shape.intermediate, shape.query, shape.key_value, shape.vocabulary) < 1:
        raise ValueError("a width or a count in it is below 1")
    return shape


def _feed_forward(text: Config, hidden: int, layers: int) -> tuple[int, int]:
    """The width that a token passes, and the parameters that it passes by: three matrices for each other expert."""
    dense = int(text.get("intermediate_size") or text.get("n_inner") or 4 * hidden)
    experts = int(_first(text, "num_experts", "num_local_experts", "n_routed_experts", default=0) or 0)
    chosen = int(_first(text, "num_experts_per_tok", "num_experts_per_token", default=0) or 0)
    if experts <= 1 or chosen < 1:
        return dense, 0
    one = int(text.get("moe_intermediate_size") or dense)
    shared = int(text.get("shared_expert_intermediate_size") or int(text.get("n_shared_experts") or 0) * one)
    mixed = max(0, layers - int(text.get("first_k_dense_replace") or 0)) // max(
        1, int(text.get("decoder_sparse_step") or 1)
    )
    return chosen * one + shared, mixed * (experts - min(chosen, experts)) * 3 * hidden * one


def _first(config: Config, *names: str, default: Any = None) -> Any:  # Any: as in the config
    return next((config[name] for name in names if name in config), default)
