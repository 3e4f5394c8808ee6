"""The two probes: `/healthz` says that the process lives, `/readyz` that it can do its work."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import psycopg2
import pytest
from django.test import Client

from tests.whetstone.serving import environment_of, manage, serving


def asked(url: str) -> tuple[int, int, dict[str, str]]:
    """Status of both probes, and what the second says of its checks."""
    with httpx.Client(base_url=url, trust_env=False, timeout=20) as http:
        ready: Any = http.get("/readyz")
        return http.get("/healthz").status_code, ready.status_code, ready.json()["checks"]


def check(home: Path, database_url: str | None, lose: Callable[[], None]) -> None:
    environment = environment_of(home, database_url)
    with serving(environment) as (_, url):
        healthy, ready, checks = asked(url)
        assert (healthy, ready, checks["database"]) == (200, 503, "ok")
        assert checks["migrations"] == "run `python manage.py migrate`"
        assert manage(environment, "migrate", "-v0").returncode == 0
        assert asked(url)[:2] == (200, 200)
        lose()
        healthy, ready, checks = asked(url)
        assert (healthy, ready) == (200, 503)
        assert checks["database"] == "OperationalError"
        assert checks["artifacts"] == "ok"


def test_a_web_process_without_its_sqlite_lives_and_is_not_ready(tmp_path: Path) -> None:
    def lose() -> None:
        for file in tmp_path.glob("platform.sqlite3*"):
            file.unlink()
        (tmp_path / "platform.sqlite3").mkdir()

    check(tmp_path, None, lose)


def test_a_web_process_without_its_postgresql_lives_and_is_not_ready(tmp_path: Path, postgres_url: str) -> None:
    server, _, name = postgres_url.rpartition("/")

    def lose() -> None:
        connection = psycopg2.connect(f"{server}/postgres")
        connection.autocommit = True
        connection.cursor().execute(f"DROP DATABASE {name} WITH (FORCE)")
        connection.close()

    check(tmp_path, postgres_url, lose)


@pytest.mark.parametrize("lost", ["artifacts", "incoming"])
def test_a_platform_that_cannot_store_a_file_is_not_ready(home: Path, lost: str) -> None:
    folder = home / lost
    if folder.exists():
        folder.rmdir()
    folder.write_text("in the way")
    answer = Client().get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["checks"]["artifacts"] == "NotADirectoryError"
    assert Client().get("/healthz").status_code == 200
