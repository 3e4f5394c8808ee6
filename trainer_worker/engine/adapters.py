"""LoRA adapters laid over a model that others use too: each row of a batch is written with its own, by PEFT.

Their sums are added to the layers' own as they are computed, so nothing of the model changes, and many share it.
"""

from pathlib import Path
from typing import Any

from peft import PeftConfig, PeftModel
from safetensors import safe_open
from torch import nn

from contracts.fault import Fault
from trainer_worker.batch import bare

FILE = "adapter_model.safetensors"
PREFIX, A, B = "base_model.model.", ".lora_A.weight", ".lora_B.weight"


def lay_over(model: Any, folder: Path, name: str, called: str) -> Any:  # Any: transformers' model, or PEFT's around it
    """The model with one adapter more, under this name. `called`: the deployment, as people know it.

    Raises:
        Fault: adapter.wrong_base, engine.unfit_adapter.
    """
    _require_plain(PeftConfig.from_pretrained(str(folder)), called)
    _require_fit(bare(model), folder, called)
    if isinstance(model, PeftModel):
        model.load_adapter(str(folder), adapter_name=name, is_trainable=False)
        return model
    return PeftModel.from_pretrained(model, str(folder), adapter_name=name, is_trainable=False).eval()


def take_off(model: Any, name: str) -> Any:  # Any: as above
    """The model without the adapter; without PEFT around it once the last one has gone."""
    if not isinstance(model, PeftModel) or name not in model.peft_config:
        return model
    if len(model.peft_config) == 1:
        return model.unload()
    model.delete_adapter(name)
    model.active_adapter = next(iter(model.peft_config))  # it must be one that is there, though no row takes it
    return model


def _require_plain(config: Any, called: str) -> None:  # Any: one class a kind of adapter
    detail = ""
    if str(config.peft_type).rpartition(".")[2] != "LORA":
        detail = f"it is of the kind {config.peft_type}"
    elif config.use_dora or config.modules_to_save:
        detail = "it has use_dora" if config.use_dora else "it has modules_to_save"
    elif config.bias != "none":
        detail = "it changes biases"
    if detail:
        raise Fault("engine.unfit_adapter", model=called, detail=detail)


def _require_fit(model: nn.Module, folder: Path, called: str) -> None:
    with safe_open(folder / FILE, framework="pt") as file:
        shapes = {key: tuple(file.get_slice(key).get_shape()) for key in file.keys()}  # noqa: SIM118
    pairs = [key for key in shapes if key.endswith(A)]
    if not pairs:
        raise Fault("adapter.wrong_base", base=called, detail="it holds no LoRA weights")
    for key in pairs:
        layer = key.removeprefix(PREFIX).removesuffix(A)
        changes = (shapes.get(key.removesuffix(A) + B, (0,))[0], shapes[key][-1])
        there = _shape(model, layer)
        if there != changes:
            has = "does not have" if there is None else f"has as {there[0]}×{there[1]}"
            detail = f"it changes {layer} as {changes[0]}×{changes[1]}, which that model {has}"
            raise Fault("adapter.wrong_base", base=called, detail=detail)


def _shape(model: nn.Module, layer: str) -> tuple[int, int] | None:
    try:
        found: Any = model.get_submodule(layer)
    except AttributeError:
        return None
    weight = getattr(getattr(found, "base_layer", found), "weight", None)  # PEFT wraps what another adapter changes
    return (int(weight.shape[0]), int(weight.shape[1])) if weight is not None and weight.ndim == 2 else None
