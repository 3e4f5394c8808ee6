"""What is told of a model on its card, counted from the headers of its files and read off its config."""

import re
from collections import Counter
from collections.abc import Mapping

from whetstone.modelhub.inspection.config import Config, number, text_config
from whetstone.modelhub.inspection.header import BITS, Tensor

DTYPES = {"F64": "float64", "F32": "float32", "F16": "float16", "BF16": "bfloat16"}
BUFFERS = ("inv_freq", "position_ids", ".attn.bias", "masked_bias", "g_idx", "qzeros", "scales", "_scale", "scale_inv")
"""Endings of what lies among the weights and is none."""
QUANTITIES = ("absmax", "quant_map", "quant_state.", "blocks_scale")
"""The same, where it stands in the midst of a name."""
EXPERT = re.compile(r"\.experts\.")
FRONT_MATTER = re.compile(r"\A---\s*\n(.*?)\n---", re.DOTALL)
LICENCE = re.compile(r"^(license|license_name):\s*[\"']?([\w.+-]+)", re.MULTILINE)
UNBOUNDED = 10**7
"""Tokenizers without a limit say one of 10³⁰."""
Tensors = Mapping[str, Tensor]


def quantization_of(config: Config) -> str:
    """Like “gptq 4-bit”; empty for weights as they were trained."""
    found = config.get("quantization_config") or text_config(config).get("quantization_config")
    if not isinstance(found, dict):
        return ""
    name = str(found.get("quant_method") or "quantized")[:24]
    return f"{name} {bits}-bit" if (bits := _bits(found)) else name


def _bits(quantization: Config) -> int | None:
    if quantization.get("load_in_4bit") is True:
        return 4
    if quantization.get("load_in_8bit") is True:
        return 8
    return number(quantization, "bits")


def parameters_of(tensors: Tensors, config: Config) -> int:
    """Packed weights are counted as what they stand for."""
    bits = int(found[-1].removesuffix("-bit")) if (found := quantization_of(config).split())[1:] else 0
    return sum(_parameters(name, tensor, bits) for name, tensor in tensors.items())


def _parameters(name: str, tensor: Tensor, bits: int) -> int:
    if name.endswith(BUFFERS) or any(part in name for part in QUANTITIES):
        return 0
    if tensor.dtype in ("I64", "BOOL"):
        return 0
    if bits and tensor.dtype in ("I32", "U8"):
        return tensor.elements * BITS[tensor.dtype] // bits
    return tensor.elements


def active_parameters_of(tensors: Tensors, config: Config) -> int | None:
    """What one token passes through; None for a model without experts."""
    text = text_config(config)
    experts = number(text, "num_experts", "num_local_experts", "n_routed_experts")
    at_once = number(text, "num_experts_per_tok", "num_experts_per_token", "moe_topk")
    if not experts or not at_once or at_once > experts:
        return None
    in_experts = parameters_of({name: one for name, one in tensors.items() if EXPERT.search(name)}, config)
    if not in_experts:
        return None
    return parameters_of(tensors, config) - in_experts + in_experts * at_once // experts


def dtype_of(tensors: Tensors) -> str:
    """The type that most weights have."""
    counted: Counter[str] = Counter()
    for tensor in tensors.values():
        counted[tensor.dtype] += tensor.elements
    most = next((dtype for dtype, _count in counted.most_common()), "")
    return DTYPES.get(most, most.lower())


def context_of(config: Config, tokenizer_config: Config) -> int:
    """In tokens; 0 where nothing says it."""
    names = ("max_position_embeddings", "n_positions", "n_ctx", "max_seq_len", "seq_length")
    found = number(text_config(config), *names) or number(tokenizer_config, "model_max_length") or 0
    return found if found < UNBOUNDED else 0


def licence_of(readme: str) -> str:
    """What the front matter of README.md says, like “apache-2.0”."""
    front = FRONT_MATTER.match(readme)
    found = dict(LICENCE.findall(front[1])) if front else {}
    name = found.get("license", "")
    return str(found.get("license_name", name) if name == "other" else name)[:64]
