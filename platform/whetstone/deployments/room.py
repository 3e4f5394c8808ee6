"""How much memory a model takes that is held to be asked."""

from contracts.job import ModelRef
from contracts.resource import Machine

BYTES = {"cpu": 4, "cuda": 2}
"""A parameter: fp32 where there is no GPU, bf16 on one."""
AROUND_GB = 0.5
"""What many conversations take beside the weights; the libraries themselves are loaded already."""


def needed_gb(model: ModelRef, machine: Machine) -> float:
    kind = "cuda" if machine.gpus else "cpu"
    return round(model.parameters * BYTES[kind] / 2**30 + AROUND_GB, 1)
