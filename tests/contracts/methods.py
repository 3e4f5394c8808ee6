"""Any method, with what a test wants to say about it."""

from typing import Any

from pydantic import TypeAdapter

from contracts.method import CanonicalMethod, LoraAdapter

METHOD: TypeAdapter[CanonicalMethod] = TypeAdapter(CanonicalMethod)


def method_of(kind: str, adapter: LoraAdapter | None = None, **hyperparameters: Any) -> CanonicalMethod:
    block: dict[str, Any] = {"hyperparameters": hyperparameters}
    if adapter is not None:
        block["lora"] = adapter.model_dump()
    return METHOD.validate_python({"type": kind, kind: block})
