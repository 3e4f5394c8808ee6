"""When a training told each of its steps, as seen from outside."""

import subprocess
import time
from pathlib import Path

from trainer_worker.spool import Tail


def log_times(spool: Path, process: subprocess.Popen[bytes]) -> list[float]:
    """Seconds on time.perf_counter of each line about a step, until the process ends."""
    times: list[float] = []
    tail = Tail(spool)
    while process.poll() is None:
        times += [time.perf_counter() for line in tail.lines() if b'"metrics"' in line]
        time.sleep(0.002)
    return times
