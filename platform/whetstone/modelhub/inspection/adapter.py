"""An adapter, held against the model that it says it was trained on."""

from collections.abc import Mapping

from contracts.fault import Fault
from whetstone.modelhub.inspection.config import Config
from whetstone.modelhub.inspection.header import Tensor

PREFIX, A, B = "base_model.model.", ".lora_A.weight", ".lora_B.weight"


def base_of(config: Config) -> str:
    """The name of its base. Raises Fault adapter.not_lora."""
    kind = str(config.get("peft_type") or "–")
    if kind.upper() != "LORA":
        raise Fault("adapter.not_lora", kind=kind[:64])
    return str(config.get("base_model_name_or_path") or "–")[:256]


def require_fit(base: str, tensors: Mapping[str, Tensor], base_tensors: Mapping[str, Tensor]) -> None:
    """Raises Fault adapter.wrong_base with the first layer that the base does not have, or has in another shape."""
    pairs = [name for name in tensors if name.endswith(A)]
    if not pairs:
        raise Fault("adapter.wrong_base", base=base, detail="it holds no LoRA weights")
    for name in pairs:
        layer = name.removeprefix(PREFIX).removesuffix(A)
        into, out = tensors[name].shape, _shape(tensors, name.removesuffix(A) + B)
        there = _shape(base_tensors, f"{layer}.weight")
        if not there:
            raise Fault("adapter.wrong_base", base=base, detail=f"it changes {layer}, which that model does not have")
        if len(into) != 2 or len(out) != 2 or into[0] != out[1] or (out[0], into[1]) != there:
            shape = "×".join(map(str, (*out[:1], *into[1:])))
            detail = f"it changes {layer} as if it were {shape}, and it is {'×'.join(map(str, there))}"
            raise Fault("adapter.wrong_base", base=base, detail=detail)


def _shape(tensors: Mapping[str, Tensor], name: str) -> tuple[int, ...]:
    return tensors[name].shape if name in tensors else ()
