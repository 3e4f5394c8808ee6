"""Do the tensors have the shapes that the config claims? Whoever loads them finds out only after reading them all."""

import re
from collections.abc import Iterable, Mapping

from contracts.fault import Fault
from whetstone.modelhub.inspection.config import Config, number, text_config
from whetstone.modelhub.inspection.header import Tensor

EMBEDDINGS = ("embed_tokens.weight", "wte.weight", "embed_in.weight", "word_embeddings.weight", "tok_embeddings.weight")
LAYER = re.compile(r"(?:^|\.)(?:layers|h|blocks)\.(\d+)\.")
TAKES_HIDDEN = ("q_proj.weight", "k_proj.weight", "v_proj.weight", "gate_proj.weight", "up_proj.weight")
GIVES_HIDDEN = ("o_proj.weight", "down_proj.weight")
PLAIN = frozenset(
    ("llama", "mistral", "mixtral", "qwen2", "qwen3", "qwen2_moe", "qwen3_moe", "smollm3", "olmo2", "phi")
)
"""Families whose projections read and write the hidden state itself, in every layer."""
Tensors = Mapping[str, Tensor]


def require_whole(weight_map: Mapping[str, str], files: Mapping[str, Tensors]) -> None:
    """Every shard that the index names is there, and holds what the index says. Raises Fault model.shard_missing."""
    for tensor, file in weight_map.items():
        if file not in files:
            raise Fault("model.shard_missing", file=file, tensor=tensor)
        if tensor not in files[file]:
            raise Fault("model.tensor_missing", file=file, tensor=tensor)


def require_shapes(config: Config, tensors: Tensors, *, is_quantized: bool) -> None:
    """Raises Fault model.config_lies with the first tensor that contradicts the config, or model.layers_missing."""
    text = text_config(config)
    hidden = number(text, "hidden_size", "n_embd", "d_model")
    vocabulary = number(text, "vocab_size")
    _require_embedding(tensors, vocabulary, number(text, "word_embed_proj_dim", "embedding_size") or hidden)
    _require_layers(text, tensors)
    if text.get("model_type") in PLAIN and not is_quantized and hidden:
        _require_projections(tensors, hidden)


def _require_embedding(tensors: Tensors, vocabulary: int | None, width: int | None) -> None:
    for name in _ending(tensors, (*EMBEDDINGS, "lm_head.weight")):
        shape = tensors[name].shape
        if len(shape) == 2 and vocabulary and shape[0] != vocabulary:
            raise _lie(name, shape, "vocab_size", vocabulary)
        if len(shape) == 2 and width and shape[1] != width and not name.endswith("lm_head.weight"):
            raise _lie(name, shape, "hidden_size", width)


def _require_layers(text: Config, tensors: Tensors) -> None:
    claimed = number(text, "num_hidden_layers", "n_layer", "num_layers")
    there = {int(found[1]) for name in tensors if (found := LAYER.search(name))}
    if not claimed or not there:
        return
    if missing := sorted(set(range(min(claimed, 10_000))) - there):
        raise Fault("model.layers_missing", claimed=claimed, missing=", ".join(map(str, missing[:5])))
    extra = max(there) + 1 - claimed
    if extra > (number(text, "num_nextn_predict_layers") or 0):  # layers that guess further tokens stand behind
        name = next(name for name in tensors if (found := LAYER.search(name)) and int(found[1]) == max(there))
        raise _lie(name, tensors[name].shape, "num_hidden_layers", claimed)


def _require_projections(tensors: Tensors, hidden: int) -> None:
    for ending, side in ((TAKES_HIDDEN, 1), (GIVES_HIDDEN, 0)):
        for name in _ending(tensors, ending):
            shape = tensors[name].shape
            if len(shape) == 2 and shape[side] != hidden:
                raise _lie(name, shape, "hidden_size", hidden)


def _ending(tensors: Tensors, endings: Iterable[str]) -> list[str]:
    wanted = tuple(endings)
    return [name for name in tensors if name.endswith(wanted)]


def _lie(name: str, shape: tuple[int, ...], field: str, claimed: int) -> Fault:
    shown = "×".join(map(str, shape))
    return Fault("model.config_lies", tensor=name, shape=shown, name=field, claimed=claimed)
