"""One platform on one machine for all tests that only look at it."""

from collections.abc import Iterator

import httpx
import pytest

from tests.end_to_end.laptop import PREPARE, Laptop, up


@pytest.fixture(scope="session")
def laptop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Laptop]:
    with up(tmp_path_factory.mktemp("laptop")) as started:
        started.manage("shell", "--no-imports", "--command", PREPARE)
        yield started


@pytest.fixture(scope="session")
def api(laptop: Laptop) -> Iterator[httpx.Client]:
    with laptop.api() as client:
        yield client
