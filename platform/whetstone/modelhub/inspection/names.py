"""Which files of a model come into the hub, by their names alone."""

from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import PurePosixPath

from contracts.fault import Fault
from contracts.weights import REFUSED
from whetstone.modelhub.parts import ADAPTER, MODEL

CONFIG, ADAPTER_CONFIG = "config.json", "adapter_config.json"
BESIDE = ("README.md", "LICENSE*", "NOTICE*")
"""What people want to read of a model, and no worker does."""
KINDS = frozenset((".safetensors", ".json", ".jinja", ".model", ".tiktoken", ".txt", ".md", ""))
"""Endings of what is taken: a file that is called `tokenizer.py` is none of a tokenizer's."""
MOST_FILES = 2000
NAMED = 5


@dataclass(frozen=True)
class Sorted:
    """The files of a model, and those that stay where they are."""

    taken: tuple[str, ...]
    left_out: tuple[str, ...]


def sort_out(paths: Iterable[str]) -> Sorted:
    """What a model needs, small files first: they tell whether the large ones are worth the way.

    Raises:
        Fault: model.only_pickles, model.no_weights, model.no_config, model.too_many_files.
    """
    found = sorted(set(paths))
    names = (*ADAPTER, *TOKENIZER, *BESIDE) if _is_adapter(found) else (*MODEL, *BESIDE)
    taken = [path for path in found if _fits(path, names)]
    _require_a_model(found, taken)
    if len(taken) > MOST_FILES:
        raise Fault("model.too_many_files", most=MOST_FILES)
    taken.sort(key=lambda path: (path.endswith(".safetensors"), path))
    return Sorted(tuple(taken), tuple(path for path in found if path not in set(taken)))


TOKENIZER = tuple(name for name in MODEL if "safetensors" not in name and "config.json" not in name)


def _is_adapter(paths: list[str]) -> bool:
    """A folder with a whole model in it is that, whatever lies beside."""
    return ADAPTER_CONFIG in paths and CONFIG not in paths


def _fits(path: str, names: Iterable[str]) -> bool:
    if PurePosixPath(path).suffix.lower() not in KINDS:
        return False
    return any(path.count("/") == name.count("/") and fnmatchcase(path, name) for name in names)


def _require_a_model(found: list[str], taken: list[str]) -> None:
    if not any(path.endswith(".safetensors") for path in taken):
        pickles = [path for path in found if PurePosixPath(path).suffix.lower() in REFUSED]
        if pickles:
            raise Fault("model.only_pickles", files=", ".join(pickles[:NAMED]))
        raise Fault("model.no_weights")
    if CONFIG not in taken and ADAPTER_CONFIG not in taken:
        raise Fault("model.no_config")
