"""How much memory a model takes that is held to be asked."""

from collections.abc import Collection

from contracts.resource import Machine
from contracts.serving import weights_of
from whetstone.deployments.models import Deployment, Host

BYTES = {"cpu": 4, "cuda": 2}
"""A parameter: fp32 where there is no GPU, bf16 on one."""
AROUND_GB = 0.5
"""What many conversations take beside the weights; the libraries themselves are loaded already."""


def needed_gb(deployment: Deployment, machine: Machine, held: Collection[str] = ()) -> float:
    """More than is taken already. `held`: weights that are in memory there, and are shared (`held_by`)."""
    kind = "cuda" if machine.gpus else "cpu"
    adapter_gb = sum(file.size for file in deployment.adapter_files) / 2**30  # its files are fp32, or smaller
    model = deployment.ref
    if weights_of(model) in held:
        return round(adapter_gb, 2)
    return round(model.parameters * BYTES[kind] / 2**30 + AROUND_GB + adapter_gb, 1)


def held_by(host: Host) -> set[str]:
    """The weights in its memory, each told once however many deployments share them."""
    return {weights_of(one.ref) for one in host.deployments.all() if one.is_held}
