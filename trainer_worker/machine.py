"""What this machine is. Asked without torch: the worker's own process stays small."""

import os
import shutil
import socket
import subprocess
from pathlib import Path

from contracts.resource import Gpu, Machine

GIB_KB = 1024 * 1024


def this_machine() -> Machine:
    return Machine(
        host=socket.gethostname(),
        pid=os.getpid(),
        cores=usable_cores(),
        memory_gb=round(_memory_kb("MemTotal") / GIB_KB, 2),
        gpus=gpus(),
    )


def usable_cores() -> int:
    """Cores that this process may run on, which in a container are fewer than the machine has."""
    return len(os.sched_getaffinity(0))


def free_memory_gb() -> float:
    return round(_memory_kb("MemAvailable") / GIB_KB, 2)


def killed_for_memory() -> int:
    """How many processes the kernel has killed because memory ran out, since it started."""
    counted = (line.split() for line in Path("/proc/vmstat").read_text().splitlines())
    return next((int(value) for name, value in counted if name == "oom_kill"), 0)


def gpus() -> tuple[Gpu, ...]:
    program = shutil.which("nvidia-smi")
    if program is None:
        return ()
    query = [program, "--query-gpu=name,memory.total", "--format=csv,noheader,nounits"]
    answer = subprocess.run(query, capture_output=True, text=True, timeout=30, check=False)
    rows = [line.rsplit(",", 1) for line in answer.stdout.splitlines() if answer.returncode == 0 and "," in line]
    return tuple(Gpu(name=name.strip(), memory_gb=round(float(mib) / 1024, 1)) for name, mib in rows)


def free_of_gpu_gb() -> float:
    """Of the first one, which is where an engine loads its model."""
    query = ["nvidia-smi", "--query-gpu=memory.free", "--format=csv,noheader,nounits"]
    answer = subprocess.run(query, capture_output=True, text=True, timeout=30, check=False)
    first = answer.stdout.partition("\n")[0].strip()
    return round(float(first) / 1024, 2) if answer.returncode == 0 and first.isdecimal() else 0.0


def _memory_kb(key: str) -> int:
    for line in Path("/proc/meminfo").read_text().splitlines():
        if line.startswith(f"{key}:"):
            return int(line.split()[1])
    raise RuntimeError(f"/proc/meminfo has no {key}")
