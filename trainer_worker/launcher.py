"""The launcher: a program with everything heavy imported and one thread, that forks a training process a job.

Started by the worker as `python -m trainer_worker.launcher SOCKET_FD PARENT_PID`. It speaks JSON lines:

    worker   -> launcher  {"launch": "/…/assignment.json"}     {"kill": 17, "signal": 9}
    launcher -> worker    {"ready": true}   {"launched": 17, "assignment": "/…"}   {"ended": 17, "status": -9}

It never computes anything itself: one two-thread matmul here would hang every child.
"""

import gc
import os
import selectors
import signal
import socket
import sys
from pathlib import Path
from typing import NoReturn

import orjson

from trainer_worker.assignment import Work, read_work
from trainer_worker.lifeline import die_with

FAILED_TO_START = 3


def preload() -> None:
    """Import what every training needs. What is missing here fails now, loudly, and not in the first job."""
    import torch

    torch.set_num_threads(1)
    import datasets
    import peft  # noqa: F401
    import pyarrow.parquet  # noqa: F401
    import transformers
    from transformers import (  # noqa: F401
        AutoConfig,
        AutoModelForCausalLM,
        AutoModelForSequenceClassification,
        AutoTokenizer,
        Qwen2ForCausalLM,
    )
    from transformers.models.qwen2 import tokenization_qwen2  # noqa: F401

    import trainer_worker.attempt
    import trainer_worker.evaluation
    import trainer_worker.methods.dpo
    import trainer_worker.methods.grpo
    import trainer_worker.methods.kto
    import trainer_worker.methods.ppo
    import trainer_worker.methods.reward_model
    import trainer_worker.methods.rloo
    import trainer_worker.methods.sft  # noqa: F401

    datasets.disable_progress_bars()
    transformers.utils.logging.disable_progress_bar()


class Launcher:
    """Waits on two things, requests and the ends of children, and does nothing else."""

    def __init__(self, worker: socket.socket) -> None:
        self._worker = worker
        self._buffer = b""
        self._children: set[int] = set()
        self._wake_read, wake_write = os.pipe()
        os.set_blocking(wake_write, False)
        os.set_blocking(self._wake_read, False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)

    def serve(self) -> None:
        """Until the worker closes its end, which is also how it dies."""
        self._say(ready=True)
        with selectors.DefaultSelector() as selector:
            selector.register(self._worker, selectors.EVENT_READ)
            selector.register(self._wake_read, selectors.EVENT_READ)
            while True:
                for key, _ in selector.select():
                    if key.fileobj is self._worker and not self._hear():
                        return self._kill_all()
                self._reap()

    def _hear(self) -> bool:
        data = self._worker.recv(65536)
        *lines, self._buffer = (self._buffer + data).split(b"\n")
        for line in lines:
            request = orjson.loads(line)
            if "launch" in request:
                self._launch(request["launch"])
            elif request["kill"] in self._children:
                os.killpg(request["kill"], request["signal"])
        return bool(data)

    def _launch(self, file: str) -> None:
        launcher = os.getpid()
        pid = os.fork()
        if pid == 0:
            self._become_training(Path(file), launcher)
        self._children.add(pid)
        os.setpgid(pid, pid)
        self._say(launched=pid, assignment=file)

    def _become_training(self, file: Path, launcher: int) -> None:
        """In the child: never returns."""
        status = FAILED_TO_START
        try:
            os.setpgid(0, 0)
            die_with(launcher)
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            self._worker.close()
            status = _train(file)
        except BaseException:
            _print_traceback()
        finally:
            _leave(status)

    def _reap(self) -> None:
        try:
            os.read(self._wake_read, 4096)
        except BlockingIOError:
            pass
        for child in list(self._children):
            pid, status = os.waitpid(child, os.WNOHANG)
            if pid:
                self._children.remove(pid)
                self._say(ended=pid, status=os.waitstatus_to_exitcode(status))

    def _kill_all(self) -> None:
        for child in self._children:
            os.killpg(child, signal.SIGKILL)

    def _say(self, **message: object) -> None:
        self._worker.sendall(orjson.dumps(message) + b"\n")


def _train(file: Path) -> int:
    from trainer_worker.attempt import carry_out, prepare_process

    assignment = read_work(file)
    _print_into(assignment.log)
    if assignment.processes > 1:
        _become_torchrun(assignment)
    prepare_process(assignment)
    return carry_out(assignment)


def _become_torchrun(assignment: Work) -> None:
    """Several GPUs: processes that have spoken to CUDA cannot be forked, so they start cold."""
    program = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    program += ["--nproc-per-node", str(assignment.processes), "-m", "trainer_worker.attempt", str(assignment.file)]
    os.execv(sys.executable, program)


def _print_into(log: Path) -> None:
    file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    null = os.open(os.devnull, os.O_RDONLY)
    for source, target in ((null, 0), (file, 1), (file, 2)):
        os.dup2(source, target)
    os.close(file)
    os.close(null)


def _leave(status: int) -> NoReturn:
    """End the process, whatever a full disk says to the last printed words."""
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(status)


def _print_traceback() -> None:
    import traceback

    traceback.print_exc()


def main() -> None:
    socket_fd, parent = int(sys.argv[1]), int(sys.argv[2])
    die_with(parent)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the worker decides
    preload()
    gc.collect()
    gc.freeze()  # children share these pages as long as no collection writes into them
    Launcher(socket.socket(fileno=socket_fd)).serve()
    os._exit(0)  # taking torch and TRL down piece by piece would keep a worker that stops waiting for seconds


if __name__ == "__main__":
    main()
