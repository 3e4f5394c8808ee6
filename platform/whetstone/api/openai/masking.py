"""What OpenAI's answers hide: the values of the headers that a grader's web service is sent."""

from typing import Any

from graders.schema import MASK


def masked(document: Any) -> Any:  # Any: JSON
    """A copy in which each endpoint's header values are masked."""
    if isinstance(document, list):
        return [masked(one) for one in document]
    if not isinstance(document, dict):
        return document
    inner = {key: masked(value) for key, value in document.items()}
    if document.get("type") == "endpoint" and isinstance(document.get("headers"), dict):
        inner["headers"] = dict.fromkeys(document["headers"], MASK)
    return inner
