"""How fast a machine is before anything was measured on it: published figures, and the share of them that is had."""

from typing import NamedTuple

from contracts.resource import Machine

MFU = 0.3
"""Share of a GPU's peak that training reaches. PaLM had 0.46 (arXiv:2204.02311, table 3) and Llama 3 0.38 to 0.43
(arXiv:2407.21783, table 4), both with kernels of their own; one GPU under transformers has less."""
MBU = 0.5
"""Share of a GPU's memory bandwidth that sampling token by token reaches."""
CORE_FLOPS, CPU_BANDWIDTH = 40e9, 10e9
"""Of fp32 on one core, and bytes a second of the whole machine. A core of an AMD EPYC did 50 to 58e9 in trainings of a
model with 32M parameters and in bare products of matrices; others have less. The bandwidth is a guess."""
GPU_LAYER_S, CPU_LAYER_S = 0.4e-3, 0.8e-3
"""Seconds that Python and the kernels' launches take for one layer and token, however small it is. A guess: with the
CPU's, four short trainings of the starter model took 1.1 times what it says."""
PUBLISHED: tuple[tuple[str, float, float], ...] = (
    ("B200", 2250e12, 8000e9),
    ("H200", 989e12, 4800e9),
    ("H100 PCIe", 756e12, 2000e9),
    ("H100", 989e12, 3350e9),
    ("H20", 148e12, 4000e9),
    ("A100", 312e12, 1935e9),
    ("L40S", 362e12, 864e9),
    ("L40", 181e12, 864e9),
    ("L4", 121e12, 300e9),
    ("A10G", 70e12, 600e9),
    ("A10", 125e12, 600e9),
    ("A6000", 155e12, 768e9),
    ("V100", 125e12, 900e9),
    ("T4", 65e12, 320e9),
    ("4090", 165e12, 1008e9),
    ("3090", 71e12, 936e9),
    ("MI300X", 1307e12, 5300e9),
)
"""By a part of the name: FLOP a second in 16 bits, dense, and bytes a second. From the makers' data sheets; the first
that fits counts. GPUs without bf16 are slower than this where fp32 is computed with."""
UNKNOWN_GPU = (100e12, 600e9)


class Speed(NamedTuple):
    flops: float
    """FLOP a second of all devices of the machine together."""
    bandwidth: float
    """Bytes a second from one device's memory."""
    layer_s: float
    """Seconds that a layer takes for one token, however small it is."""
    is_known: bool = True
    """False for a GPU that is not in the list."""


def speed_of(machine: Machine) -> Speed:
    """Before corrections. Of several GPUs the least counts for each."""
    if not machine.gpus:
        return Speed(machine.cores * CORE_FLOPS, CPU_BANDWIDTH, CPU_LAYER_S)
    found = [_published(gpu.name) for gpu in machine.gpus]
    known = [one for one in found if one]
    flops, bandwidth = min(known or [UNKNOWN_GPU])
    return Speed(len(found) * flops * MFU, bandwidth * MBU, GPU_LAYER_S, len(known) == len(found))


def _published(name: str) -> tuple[float, float] | None:
    return next(((flops, bandwidth) for part, flops, bandwidth in PUBLISHED if part.lower() in name.lower()), None)
