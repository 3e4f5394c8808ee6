"""One launcher for all tests: importing TRL takes seconds, and a warm launcher is the thing itself."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.trainer_worker.jobs import tiny_model
from tests.trainer_worker.other_side import JOIN_TOKEN, OtherSide, other_side
from trainer_worker.launching import LauncherProcess
from trainer_worker.settings import Settings
from trainer_worker.worker import Worker


@pytest.fixture(scope="session")
def launcher(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LauncherProcess]:
    process = LauncherProcess(tmp_path_factory.mktemp("launcher"))
    process.wait_until_ready()
    yield process
    process.close()


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_model(tmp_path_factory.mktemp("tiny"))


@pytest.fixture
def side() -> Iterator[OtherSide]:
    with other_side() as started:
        yield started


@pytest.fixture
def settings(side: OtherSide, tmp_path: Path) -> Settings:
    return Settings(
        url=side.url,
        token=JOIN_TOKEN,
        broker_url="memory://",
        name="worker-1",
        pool="cpu",
        scratch=tmp_path / "scratch",
        cache_gb=1.0,
        idle_poll_s=0.2,
    )


@pytest.fixture
def worker(settings: Settings, launcher: LauncherProcess) -> Iterator[Worker]:
    started = Worker(settings, launcher=launcher)
    started.start()
    yield started
    started.stop()
    started.join()
