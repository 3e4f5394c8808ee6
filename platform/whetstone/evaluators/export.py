"""A version as a file that our own API takes back, and OpenAI's where it has the kind."""

from typing import Any

from graders.schema import Grader

# OpenAI's kinds, each with its keys. It refuses others, so what is left at our default stays out.
OPENAI: dict[str, frozenset[str]] = {
    "string_check": frozenset({"type", "name", "input", "reference", "operation"}),
    "text_similarity": frozenset({"type", "name", "input", "reference", "evaluation_metric"}),
    "python": frozenset({"type", "name", "source", "image_tag"}),
    "score_model": frozenset({"type", "name", "model", "input", "range", "sampling_params"}),
    "label_model": frozenset({"type", "name", "model", "input", "labels", "passing_labels"}),
    "multi": frozenset({"type", "name", "graders", "calculate_output"}),
}


def export(grader: Grader) -> dict[str, Any]:
    """The grader's JSON, with every key in its place that OpenAI's reference asks for."""
    document = grader.model_dump(mode="json", exclude_none=True)
    changed = grader.model_dump(mode="json", exclude_none=True, exclude_defaults=True)
    return _plain(document, changed)


def _plain(document: dict[str, Any], changed: dict[str, Any]) -> dict[str, Any]:
    known = OPENAI.get(document["type"])
    kept = {key: value for key, value in document.items() if known is None or key in known or key in changed}
    if "graders" in kept:
        parts = changed.get("graders", {})
        kept["graders"] = {name: _plain(part, parts[name]) for name, part in kept["graders"].items()}
    if document["type"] == "steps":
        kept["grader"] = _plain(kept["grader"], changed["grader"])
    return kept
