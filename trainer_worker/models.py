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
    AutoTokenizer,
    PreTrainedModel,
    PreTrainedTokenizerBase,
    set_seed,
)

from contracts.job import FileRef
from contracts.method import Hyperparameters

CHUNK = 1 << 20


def use_bf16(h: Hyperparameters) -> bool:
    """Whether the forward and backward pass run in bf16: what was asked for, or what the GPU is good at."""
    if h.precision == "auto":
        return torch.cuda.is_available() and torch.cuda.is_bf16_supported()
    return h.precision == "bf16"


def load_tokenizer(folder: Path) -> PreTrainedTokenizerBase:
    tokenizer = AutoTokenizer.from_pretrained(folder, trust_remote_code=False, local_files_only=True)
    tokenizer.padding_side = "left"
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    return tokenizer


def load_model(folder: Path, seed: int, drawn: Path) -> PreTrainedModel:
    """The model in a folder, in fp32 (the optimizer's precision).

    A folder without weights is a model to be born: they are drawn from its config under the seed and written to
    `drawn` first, because TRL reads a reference model again from the path that the model was loaded from.
    """
    if not any(folder.glob("*.safetensors")):
        folder = _draw(folder, seed, drawn)
    model = AutoModelForCausalLM.from_pretrained(
        folder, dtype=torch.float32, use_safetensors=True, trust_remote_code=False, local_files_only=True
    )
    return model


def context_of(model: PreTrainedModel) -> int:
    """Longest sequence in tokens that the model was made for."""
    return int(model.config.get_text_config().max_position_embeddings)


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
    return tuple(file_ref(path, str(path.relative_to(folder))) for path in _files(folder))


def file_ref(file: Path, name: str) -> FileRef:
    digest = hashlib.sha256()
    with file.open("rb") as source:
        while chunk := source.read(CHUNK):
            digest.update(chunk)
    return FileRef(path=name.replace(os.sep, "/"), sha256=digest.hexdigest(), size=file.stat().st_size)


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.rglob("*")) if path.is_file())


def _draw(folder: Path, seed: int, drawn: Path) -> Path:
    config = AutoConfig.from_pretrained(folder, trust_remote_code=False, local_files_only=True)
    set_seed(seed)
    model = AutoModelForCausalLM.from_config(config, trust_remote_code=False, dtype=torch.float32)
    model.save_pretrained(drawn)
    for file in _files(folder):
        if not (drawn / file.name).exists():
            shutil.copyfile(file, drawn / file.name)
    return drawn


def _stored_dtype(base: Path) -> torch.dtype:
    config = AutoConfig.from_pretrained(base, trust_remote_code=False, local_files_only=True)
    return config.dtype or torch.float32
