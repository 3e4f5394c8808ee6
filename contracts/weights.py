"""Weights are read from safetensors alone. Other forms are pickles, or can hold one: reading them can run code."""

from collections.abc import Iterable
from pathlib import PurePosixPath

from contracts.fault import Fault

REFUSED = frozenset(
    (".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle", ".joblib", ".h5", ".keras", ".npy", ".npz", ".msgpack")
)


def require_safetensors(paths: Iterable[str]) -> None:
    """Raises Fault model.not_safetensors when one of a model's files has weights in another form."""
    for path in paths:
        if PurePosixPath(path).suffix.lower() in REFUSED:
            raise Fault("model.not_safetensors", field="model", file=path)
