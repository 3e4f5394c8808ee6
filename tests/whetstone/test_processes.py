"""All processes of a platform on one machine."""

import contextlib
import os
import signal
from pathlib import Path

import pytest
from pytest_django import Settings

from tests.end_to_end.laptop import free_port
from whetstone.operations.processes import Platform


class Dropped:
    """A signal comes while it is thrown away: Python tells of the exception, and goes on."""

    def __del__(self) -> None:
        os.kill(os.getpid(), signal.SIGUSR1)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_request_to_stop_is_heard_though_its_exception_was_lost(tmp_path: Path, settings: Settings) -> None:
    settings.HOME = tmp_path
    platform = Platform("127.0.0.1", free_port())
    before = signal.signal(signal.SIGUSR1, platform._interrupt)
    try:
        thing = Dropped()
        with contextlib.suppress(KeyboardInterrupt):
            del thing
        platform.watch()
    finally:
        signal.signal(signal.SIGUSR1, before)
