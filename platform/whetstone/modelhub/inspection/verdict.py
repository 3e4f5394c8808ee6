"""All that is found out about a whole model, or what is wrong with it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from contracts.fault import Fault
from contracts.method import Task
from whetstone.modelhub.inspection import facts
from whetstone.modelhub.inspection.config import Config, read_json, task_of
from whetstone.modelhub.inspection.header import Tensor
from whetstone.modelhub.inspection.names import CONFIG
from whetstone.modelhub.inspection.shapes import require_shapes, require_whole

INDEX, WEIGHTS = "model.safetensors.index.json", "model.safetensors"
HEADS = ("score.", "classifier.", "classification_head.")
Read = Callable[[str], bytes | None]
"""The content of a small file; None where there is none of that name."""


@dataclass(frozen=True)
class Verdict:
    """What the hub writes on a model's card."""

    config: Config
    task: Task
    parameters: int
    active_parameters: int | None
    dtype: str
    quantization: str
    context_length: int
    license: str


def read_config(read: Read) -> Config:
    """A config of a model that can be trained here. Raises Fault model.broken_json, and what `task_of` raises."""
    config = read_json(read(CONFIG) or b"", CONFIG)
    task_of(config)
    return config


def inspect(read: Read, weights: Mapping[str, Mapping[str, Tensor]]) -> Verdict:
    """Hold the config against the headers of the weights' files. Raises Fault with the first thing that is wrong."""
    config = read_config(read)
    task = task_of(config)
    tensors = _tensors(read, weights)
    quantization = facts.quantization_of(config)
    require_shapes(config, tensors, is_quantized=bool(quantization))
    if task == "reward" and not any(head in name for name in tensors for head in HEADS):
        raise Fault("model.no_head", architecture=str(config["architectures"][0]))
    return Verdict(
        config=config,
        task=task,
        parameters=facts.parameters_of(tensors, config),
        active_parameters=facts.active_parameters_of(tensors, config),
        dtype=facts.dtype_of(tensors),
        quantization=quantization,
        context_length=facts.context_of(config, _tokenizer_config(read)),
        license=facts.licence_of((read("README.md") or b"").decode("utf-8", "replace")),
    )


def _tensors(read: Read, weights: Mapping[str, Mapping[str, Tensor]]) -> dict[str, Tensor]:
    """Of the files that transformers reads: the one whole file where it is there, the index's shards otherwise."""
    if WEIGHTS in weights:
        return dict(weights[WEIGHTS])
    index = read(INDEX)
    if index is None:
        raise Fault("model.shard_missing", file=INDEX, tensor="–")
    told = read_json(index, INDEX).get("weight_map")
    weight_map = {str(tensor): str(file) for tensor, file in told.items()} if isinstance(told, dict) else {}
    if not weight_map:
        raise Fault("model.broken_json", file=INDEX, detail="it has no weight_map")
    require_whole(weight_map, weights)
    return {tensor: weights[file][tensor] for tensor, file in weight_map.items()}


def _tokenizer_config(read: Read) -> Config:
    content = read("tokenizer_config.json")
    return read_json(content, "tokenizer_config.json") if content else {}
