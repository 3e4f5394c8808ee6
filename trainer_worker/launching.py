"""The worker's end of the launcher: keeps one running, asks it for training processes."""

import os
import selectors
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from trainer_worker.scratch import join_trainers, outlive_trainers

START_TIMEOUT_S = 120.0
# Set before libgomp loads: idle threads sleep instead of spinning. Beside one busy process 1.5 s a step instead of 13.
LAUNCHER_ENVIRONMENT = {
    "OMP_WAIT_POLICY": "PASSIVE",
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "PYTORCH_NVML_BASED_CUDA_CHECK": "1",  # asking for a GPU must not start CUDA, which no child could use then
    "ARROW_DEFAULT_MEMORY_POOL": "system",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_HUB_OFFLINE": "1",
    "HF_DATASETS_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    "TRANSFORMERS_VERBOSITY": "warning",
    "WANDB_MODE": "disabled",
    "PYTHONUNBUFFERED": "1",
    "PYTHONWARNINGS": "ignore::FutureWarning",  # about the libraries' own next versions
    "TOKENIZERS_PARALLELISM": "false",
}


class LauncherDied(Exception):
    """The launcher is gone; every training process it had started was killed with it."""


@dataclass
class Training:
    """A training process that runs, or how it ended."""

    pid: int
    status: int | None = None
    """Exit code; minus the signal's number when it was killed. None while it runs."""


class LauncherProcess:
    """A running launcher. Starting it takes the seconds that importing torch and TRL takes."""

    def __init__(self, scratch: Path) -> None:
        outlive_trainers(scratch)
        self._log = scratch / "launcher.log"
        self._socket, theirs = socket.socketpair()
        with theirs, join_trainers(scratch) as lock, self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "trainer_worker.launcher", str(theirs.fileno()), str(os.getpid())],
                pass_fds=[theirs.fileno(), lock.fileno()],  # the lock is held until the last of them has died
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=_environment(scratch),
            )
        self._buffer = b""
        self._ready = False
        self._launched: dict[str, Training] = {}
        self._trainings: dict[int, Training] = {}

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        return self._process.poll() is None

    def wait_until_ready(self, timeout_s: float = START_TIMEOUT_S) -> None:
        """Raises LauncherDied with what it printed, when a library is missing or broken."""
        deadline = time.monotonic() + timeout_s
        while not self._ready:
            if time.monotonic() > deadline:
                raise LauncherDied(f"the launcher was not ready after {timeout_s:.0f} s\n{self._printed()}")
            self.listen(0.5)

    def launch(self, assignment_file: Path) -> Training:
        self.wait_until_ready()
        self._say(launch=str(assignment_file))
        while str(assignment_file) not in self._launched:
            self.listen(5.0)
        return self._launched.pop(str(assignment_file))

    def kill(self, training: Training, with_signal: signal.Signals = signal.SIGKILL) -> None:
        """Kill the process with all its children. Does nothing when it has ended."""
        if training.status is None:
            self._say(kill=training.pid, signal=int(with_signal))

    def listen(self, timeout_s: float) -> None:
        """Take in what the launcher says within the time; returns at once when it says something."""
        with selectors.DefaultSelector() as selector:
            selector.register(self._socket, selectors.EVENT_READ)
            if not selector.select(timeout_s):
                return
        try:
            data = self._socket.recv(65536)
        except ConnectionResetError:
            data = b""
        if not data:
            self._bury()
        *lines, self._buffer = (self._buffer + data).split(b"\n")
        for line in lines:
            self._hear(orjson.loads(line))

    def close(self) -> None:
        """End the launcher and with it every training process."""
        self._socket.close()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _hear(self, message: dict[str, Any]) -> None:  # Any: one line of JSON
        if "launched" in message:
            training = Training(message["launched"])
            self._trainings[training.pid] = self._launched[message["assignment"]] = training
        elif "ended" in message:
            self._trainings.pop(message["ended"]).status = message["status"]
        else:
            self._ready = True

    def _bury(self) -> None:
        status = self._process.wait()
        for training in self._trainings.values():
            training.status = -signal.SIGKILL
        raise LauncherDied(f"the launcher ended with status {status}\n{self._printed()}")

    def _say(self, **message: object) -> None:
        try:
            self._socket.sendall(orjson.dumps(message) + b"\n")
        except OSError:
            self._bury()

    def _printed(self) -> str:
        return self._log.read_text(errors="replace")[-4000:]


def _environment(scratch: Path) -> dict[str, str]:
    """Ours without its secrets: a training process runs code and templates that users brought."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith("WHETSTONE_")}
    ours.pop("DJANGO_SETTINGS_MODULE", None)
    return ours | LAUNCHER_ENVIRONMENT | {"HF_HOME": str(scratch / "huggingface")}
