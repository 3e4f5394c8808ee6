"""Folders with models, as transformers writes them: small, whole, with real safetensors files."""

import json
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save_file

from whetstone.starter import model as starter

HIDDEN, LAYERS, VOCABULARY, INNER = 8, 2, 261, 16
CONFIG = starter.CONFIG | {
    "hidden_size": HIDDEN,
    "intermediate_size": INNER,
    "num_hidden_layers": LAYERS,
    "num_attention_heads": 2,
    "num_key_value_heads": 2,
}
README = "---\nlicense: apache-2.0\n---\n# A model\n"


def weights(layers: int = LAYERS, hidden: int = HIDDEN) -> dict[str, Any]:  # Any: NumPy's arrays
    """What a Qwen2 of this size consists of, without its biases."""
    found: dict[str, Any] = {
        "model.embed_tokens.weight": np.zeros((VOCABULARY, hidden), np.float32),
        "model.norm.weight": np.zeros(hidden, np.float32),
    }
    for n in range(layers):
        for name in ("q", "k", "v", "o"):
            found[f"model.layers.{n}.self_attn.{name}_proj.weight"] = np.zeros((hidden, hidden), np.float32)
        found[f"model.layers.{n}.mlp.up_proj.weight"] = np.zeros((INNER, hidden), np.float32)
        found[f"model.layers.{n}.mlp.down_proj.weight"] = np.zeros((hidden, INNER), np.float32)
    return found


def make_folder(folder: Path, config: dict[str, Any] | None = None, **more: bytes) -> Path:
    """A model that is whole; `config` over its config, and further files by their names with `__` for a dot."""
    starter.build(folder)
    (folder / "config.json").write_text(json.dumps(CONFIG | (config or {})))
    (folder / "README.md").write_text(README)
    save_file(weights(), folder / "model.safetensors")
    for name, content in more.items():
        (folder / name.replace("__", ".")).write_bytes(content)
    return folder


def make_shards(folder: Path) -> Path:
    """The same in two shards with their index."""
    make_folder(folder)
    (folder / "model.safetensors").unlink()
    names = sorted(weights())
    parts = {"model-00001-of-00002.safetensors": names[:5], "model-00002-of-00002.safetensors": names[5:]}
    for file, held in parts.items():
        save_file({name: weights()[name] for name in held}, folder / file)
    weight_map = {name: file for file, held in parts.items() for name in held}
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": weight_map}))
    return folder


def make_adapter(folder: Path, base: str, hidden: int = HIDDEN) -> Path:
    folder.mkdir(parents=True)
    told = {"peft_type": "LORA", "base_model_name_or_path": base, "r": 4, "lora_alpha": 8, "target_modules": ["q_proj"]}
    (folder / "adapter_config.json").write_text(json.dumps(told))
    name = "base_model.model.model.layers.0.self_attn.q_proj"
    pair = {"lora_A": np.zeros((4, hidden), np.float32), "lora_B": np.zeros((hidden, 4), np.float32)}
    save_file({f"{name}.{one}.weight": value for one, value in pair.items()}, folder / "adapter_model.safetensors")
    return folder
