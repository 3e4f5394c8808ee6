"""Which files are a model and which an adapter, by the names that transformers and PEFT give them."""

from collections.abc import Iterable
from fnmatch import fnmatchcase
from typing import Literal

from contracts.job import FileRef

Part = Literal["model", "adapter"]

FOLDER = "adapter/"
"""Where a merged model keeps the adapter it was merged from."""
ADAPTER = ("adapter_config.json", "adapter_model.safetensors")
# A list of what is wanted, not of what is not: a checkpoint holds an optimizer, maybe a critic, and what comes later.
MODEL = (
    "model.safetensors",
    "model-*-of-*.safetensors",
    "model.safetensors.index.json",
    "config.json",
    "generation_config.json",
    "tokenizer*",
    "*.model",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.*",
    "merges.txt",
    "chat_template*",
    "additional_chat_templates/*.jinja",
)


def is_adapter(files: Iterable[FileRef]) -> bool:
    """Whether a checkpoint holds an adapter instead of a whole model."""
    return any(file.path == "adapter_model.safetensors" for file in files)


def of_checkpoint(files: Iterable[FileRef]) -> list[FileRef]:
    """What a checkpoint has of the model or of the adapter, without the state of its training."""
    found = list(files)
    names = ADAPTER if is_adapter(found) else MODEL
    return [file for file in found if any(fnmatchcase(file.path, name) for name in names)]


def of_model(files: Iterable[FileRef], part: Part) -> list[FileRef]:
    """One part of a model of the hub, with paths as they are inside that part. An adapter may be missing: empty."""
    if part == "model":
        return [file for file in files if not file.path.startswith(FOLDER)]
    inner = [file for file in files if file.path.startswith(FOLDER)]
    return [file.model_copy(update={"path": file.path.removeprefix(FOLDER)}) for file in inner]
