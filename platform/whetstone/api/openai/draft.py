"""A job as scripts for OpenAI ask for it."""

from typing import Any

from pydantic import model_validator

from contracts.job import JobDraft

NEUTRAL = {"reasoning_effort": ("default", None), "compute_multiplier": ("auto", None), "response_format": (None,)}
"""What OpenAI's examples say although it changes nothing. Anything else under these names is refused."""


class OpenAIDraft(JobDraft):
    """Without what means “as it is anyway”."""

    @model_validator(mode="before")
    @classmethod
    def without_neutral(cls, given: Any) -> Any:  # Any: whatever was sent
        if not isinstance(given, dict) or not isinstance(method := given.get("method"), dict):
            return given
        blocks = {name: _without(block) if isinstance(block, dict) else block for name, block in method.items()}
        return given | {"method": blocks}


def _without(block: dict[str, Any]) -> dict[str, Any]:
    kept = {name: value for name, value in block.items() if not _is_neutral(name, value)}
    numbers = kept.get("hyperparameters")
    return kept | {"hyperparameters": _without(numbers)} if isinstance(numbers, dict) else kept


def _is_neutral(name: str, value: Any) -> bool:
    return name in NEUTRAL and any(value is one or value == one for one in NEUTRAL[name])
