"""What tests of every room share: a browser, a PostgreSQL, a Redis, and plain words about what is missing."""

from collections.abc import Iterator

import hypothesis
import pytest
from django.db import connections

from scripts import machine

# A machine that is busy with something else fails no test.
hypothesis.settings.register_profile("patient", deadline=None)
hypothesis.settings.load_profile("patient")


def pytest_sessionstart() -> None:
    if machine.NOTHING_MAY_BE_LEFT_OUT and (sentences := machine.left_out()):
        pytest.exit("With CI=true nothing may be left out.\n" + "\n".join(sentences), returncode=1)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for sentence in machine.left_out():
        terminalreporter.write_line(f"LEFT OUT: {sentence}", yellow=True, bold=True)


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    django_db_modify_db_settings_parallel_suffix: None, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """SQLite in a file, as on a laptop: in memory, threads meet locks that do not wait."""
    database = connections["default"]
    if database.vendor == "sqlite":
        database.settings_dict["TEST"]["NAME"] = str(tmp_path_factory.mktemp("database") / "test.sqlite3")


@pytest.fixture(scope="session")
def chromium_path() -> str:
    """Start it with `--no-sandbox`: Chromium as root has no other way."""
    return machine.chromium() or pytest.skip("LEFT OUT: Chromium is not installed")


@pytest.fixture
def postgres_url() -> Iterator[str]:
    """A database of the test's own."""
    server = machine.postgres() or pytest.skip("LEFT OUT: no PostgreSQL lets databases be made here")
    with machine.fresh_database(server) as url:
        yield url


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Redis of the session's own: use keys that no other test uses, or flush it first."""
    program = machine.redis_server() or pytest.skip("LEFT OUT: redis-server is not installed")
    with machine.fresh_redis(program, tmp_path_factory.mktemp("redis")) as url:
        yield url
