"""Loading and saving models. Only safetensors are read or written, and no code that comes with a model is run."""

import hashlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from peft import PeftModel
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    AutoModelForSequenceClassification,
    PreTrainedModel,
    PreTrainedTokenizerBase,
    set_seed,
)
from trl.trainer.reward_trainer import suppress_seqcls_warning

from contracts.job import FileRef
from contracts.method import Task
from trainer_worker.pretrained import LOCAL

CHUNK = 1 << 20
ADAPTER = ("adapter_config.json", "adapter_model.safetensors")
KINDS: dict[Task, Any] = {"text": AutoModelForCausalLM, "reward": AutoModelForSequenceClassification}
CONFIGS: dict[Task, dict[str, Any]] = {"text": LOCAL, "reward": LOCAL | {"num_labels": 1}}


def task_of(folder: Path) -> Task:
    """What the model in a folder does, by the class that its config names."""
    config = AutoConfig.from_pretrained(folder, **LOCAL)
    scores = any(name.endswith("ForSequenceClassification") for name in config.architectures or ())
    return "reward" if scores else "text"


def load_model(
    folder: Path, seed: int, drawn: Path, task: Task = "text", dtype: torch.dtype = torch.float32
) -> PreTrainedModel:
    """The model in a folder, in fp32 (the optimizer's precision) or another, to write text or to give one score.

    A folder without weights is a model to be born: they are drawn from its config under the seed and written to
    `drawn` first, because TRL reads a reference model again from the path that the model was loaded from. A reward
    model that starts from a text model gets a new head, drawn under the seed too. A folder with an adapter beside its
    base is the model that both make together: it is merged into `drawn`.
    """
    if (folder / ADAPTER[1]).exists():
        merge_into(drawn, folder)
        folder = drawn
    elif not any(folder.glob("*.safetensors")):
        folder = _draw(folder, seed, drawn, task)
    set_seed(seed)
    with suppress_seqcls_warning():
        model: PreTrainedModel = KINDS[task].from_pretrained(folder, dtype=dtype, use_safetensors=True, **CONFIGS[task])
    return model


def parameters_of(model: PreTrainedModel) -> int:
    return sum(parameter.numel() for parameter in model.parameters())


def save(model: Any, tokenizer: PreTrainedTokenizerBase, folder: Path, base: Path) -> PreTrainedModel:
    """Write a whole model. An adapter is merged into its base, and kept beside it under `adapter/`."""
    if isinstance(model, PeftModel):
        model.save_pretrained(folder / "adapter", safe_serialization=True)
        model = model.merge_and_unload()
    whole: PreTrainedModel = model
    whole.to(_stored_dtype(base))
    whole.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    for leftover in ("adapter/README.md", "README.md", "training_args.bin"):
        (folder / leftover).unlink(missing_ok=True)
    return whole


def files_of(folder: Path) -> tuple[FileRef, ...]:
    """Every file under a folder, by content."""
    return tuple(file_ref(folder / path, path) for path in paths_of(folder))


def paths_of(folder: Path) -> list[str]:
    """Relative, with forward slashes."""
    return [path.relative_to(folder).as_posix() for path in _files(folder)]


def file_ref(file: Path, name: str) -> FileRef:
    digest = hashlib.sha256()
    with file.open("rb") as source:
        while chunk := source.read(CHUNK):
            digest.update(chunk)
    return FileRef(path=name.replace(os.sep, "/"), sha256=digest.hexdigest(), size=file.stat().st_size)


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.rglob("*")) if path.is_file())


def _draw(folder: Path, seed: int, drawn: Path, task: Task) -> Path:
    config = AutoConfig.from_pretrained(folder, **CONFIGS[task])
    set_seed(seed)
    model = KINDS[task].from_config(config, trust_remote_code=False, dtype=torch.float32)
    model.save_pretrained(drawn)
    for file in _files(folder):
        if not (drawn / file.name).exists():
            shutil.copyfile(file, drawn / file.name)
    return drawn


def merge_into(merged: Path, folder: Path) -> PreTrainedModel:
    """The model that an adapter and the base beside it in `folder` make, in the base's precision, written to `merged`.

    The base alone is linked into a folder of its own: transformers would take the adapter for the model.
    """
    base = merged.with_name(f"{merged.name}-base")
    base.mkdir(parents=True, exist_ok=True)
    for file in _files(folder):
        if file.name not in ADAPTER and not (base / file.name).exists():
            (base / file.name).symlink_to(file.resolve())
    whole = KINDS[task_of(base)].from_pretrained(base, dtype=_stored_dtype(base), use_safetensors=True, **LOCAL)
    model: PreTrainedModel = PeftModel.from_pretrained(whole, folder).merge_and_unload()
    model.save_pretrained(merged)
    for file in _files(base):
        if not (merged / file.name).exists() and file.suffix != ".safetensors" and "safetensors.index" not in file.name:
            shutil.copyfile(file, merged / file.name)
    return model


def _stored_dtype(base: Path) -> torch.dtype:
    config = AutoConfig.from_pretrained(base, **LOCAL)
    return config.dtype or torch.float32
