"""A model's config.json: read with bounds, and asked whether this platform can do anything with the model."""

from collections.abc import Iterator
from typing import Any

import orjson

from contracts.fault import Fault
from contracts.method import Task
from whetstone.modelhub.inspection.architectures import REWARD, TEXT

LARGEST = 16 * 1024 * 1024
"""The index of a model with 90,000 tensors has 9 MB."""
DEEPEST = 32
SENSES = ("vision_config", "audio_config", "speech_config", "image_config")
Config = dict[str, Any]  # Any: JSON that somebody else wrote


def read_json(content: bytes, path: str) -> Config:
    """A JSON object that a database takes. Raises Fault model.broken_json."""
    if len(content) > LARGEST:
        raise Fault("model.broken_json", file=path, detail=f"it is larger than {LARGEST // 1024**2} MB")
    try:
        document = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        raise Fault("model.broken_json", file=path, detail=str(error)) from None
    if not isinstance(document, dict):
        raise Fault("model.broken_json", file=path, detail="it is no JSON object")
    if b"\\u0000" in content or _depth(document) > DEEPEST:
        raise Fault("model.broken_json", file=path, detail="it holds what no config holds")
    return document


def _depth(document: Config) -> int:
    """Without recursion: this is how deep others may go with it."""
    deepest, level = 0, [document]
    while level and deepest <= DEEPEST:
        deepest += 1
        level = [inner for outer in level for inner in _inner(outer)]
    return deepest


def _inner(value: Any) -> Iterator[Any]:  # Any: JSON
    values = value.values() if isinstance(value, dict) else value
    return (one for one in values if isinstance(one, dict | list))


def task_of(config: Config) -> Task:
    """What the model does.

    Raises:
        Fault: model.not_text for models that see or hear; model.own_code for a class that only the model's own code
            knows; model.no_head, model.many_labels, model.unknown_architecture for what no method can train.
    """
    named = config.get("architectures")
    name = str(named[0]) if isinstance(named, list) and named else ""
    if any(isinstance(config.get(sense), dict) for sense in SENSES):
        raise Fault("model.not_text", architecture=name or str(config.get("model_type")))
    if name in TEXT:
        return "text"
    if name in REWARD:
        if (labels := labels_of(config)) != 1:
            raise Fault("model.many_labels", architecture=name, labels=labels)
        return "reward"
    if config.get("auto_map"):
        raise Fault("model.own_code", architecture=name or "–")
    if name.endswith("Model") or not name:
        raise Fault("model.no_head", architecture=name or "–")
    raise Fault("model.unknown_architecture", architecture=name)


def labels_of(config: Config) -> int:
    """How many scores a classifier gives; transformers takes two where nothing says otherwise."""
    if isinstance(config.get("id2label"), dict):
        return len(config["id2label"])
    return number(config, "num_labels") or 2


def text_config(config: Config) -> Config:
    """The part that is about text, where the config has parts."""
    inner = config.get("text_config")
    return inner if isinstance(inner, dict) else config


def number(config: Config, *names: str) -> int | None:
    """The first of these that the config has as a whole number."""
    values = (config.get(name) for name in names)
    return next((value for value in values if type(value) is int and 0 <= value < 2**40), None)
