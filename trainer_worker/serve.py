"""`python -m trainer_worker.serve`: hold models in memory and answer what the platform's users ask them."""

import logging
import os
import signal
from types import FrameType

from trainer_worker.launching import LAUNCHER_ENVIRONMENT
from trainer_worker.logs import write_json
from trainer_worker.scratch import ScratchTaken, occupy
from trainer_worker.settings import Settings

FOR_US_ALONE = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS")
"""One thread is right for a launcher, whose children choose for themselves."""


def main() -> None:
    settings = Settings.from_environment(needs_broker=False)
    logging.basicConfig(level=logging.INFO, format="[%(asctime)s: %(levelname)s] %(message)s")
    if settings.log == "json":
        write_json()
    logging.getLogger("httpx").setLevel(logging.WARNING)
    for name, value in LAUNCHER_ENVIRONMENT.items():
        if name not in FOR_US_ALONE:
            os.environ.setdefault(name, value)
    try:
        lock = occupy(settings.scratch)
    except ScratchTaken as error:
        raise SystemExit(f"This host cannot serve, because {error}") from error

    from trainer_worker.engine.host import Host  # the environment above has to stand first

    host = Host(settings)

    def stop(number: int, frame: FrameType | None) -> None:
        host.stop()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    with lock:
        host.run()


if __name__ == "__main__":
    main()
