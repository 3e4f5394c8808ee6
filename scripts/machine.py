"""What this machine offers to tests and scripts, and what it lacks."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from functools import cache
from pathlib import Path
from secrets import token_hex

import psycopg2
import redis

NOTHING_MAY_BE_LEFT_OUT = os.environ.get("CI") == "true"


@cache
def chromium() -> str | None:
    """Path of a Chromium or Chrome."""
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    return next(filter(None, map(shutil.which, names)), None)


@cache
def postgres() -> str | None:
    """Address of a PostgreSQL in which databases may be made, without a database's name."""
    given = os.environ.get("WHETSTONE_TEST_POSTGRES")
    candidates = [given.rstrip("/")] if given else ["postgresql://postgres@127.0.0.1:5432", "postgresql://"]
    return next(filter(_may_create_databases, candidates), None)


def _may_create_databases(server: str) -> bool:
    try:
        with closing(psycopg2.connect(f"{server}/postgres", connect_timeout=3)) as connection:
            cursor = connection.cursor()
            cursor.execute("SELECT rolcreatedb OR rolsuper FROM pg_roles WHERE rolname = current_user")
            row = cursor.fetchone()
    except psycopg2.OperationalError:
        return False
    return row == (True,)


@contextmanager
def fresh_database(server: str) -> Iterator[str]:
    """A new database's address. The database is dropped at the end, whoever is still connected."""
    name = f"whetstone_{token_hex(6)}"
    with _at(server, f"CREATE DATABASE {name}", f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"):
        yield f"{server}/{name}"


@contextmanager
def fresh_owner(server: str) -> Iterator[tuple[str, str]]:
    """A new role with a database of the same name, as (name, password). Both are dropped at the end."""
    name, password = f"whetstone_{token_hex(6)}", token_hex(16)
    with (
        _at(server, f"CREATE ROLE {name} LOGIN PASSWORD '{password}'", f"DROP ROLE IF EXISTS {name}"),
        _at(server, f"CREATE DATABASE {name} OWNER {name}", f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"),
    ):
        yield name, password


@contextmanager
def fresh_name(server: str, prefix: str, suffixes: Iterable[str]) -> Iterator[str]:
    """A name for databases that somebody else makes, one with each suffix. They are dropped at the end, connections and
    all."""
    name = f"{prefix}{token_hex(6)}"
    drops = [f"DROP DATABASE IF EXISTS {name}{suffix} WITH (FORCE)" for suffix in suffixes]
    with _at(server, "SELECT", *drops):
        yield name


@contextmanager
def _at(server: str, first: str, *last: str) -> Iterator[None]:
    with closing(psycopg2.connect(f"{server}/postgres")) as connection:
        connection.autocommit = True
        connection.cursor().execute(first)
        try:
            yield
        finally:
            for statement in last:
                connection.cursor().execute(statement)


def redis_server() -> str | None:
    """Path of the program; every run starts a Redis of its own."""
    return shutil.which("redis-server")


@contextmanager
def fresh_redis(program: str, folder: Path) -> Iterator[str]:
    """The address of a Redis that starts empty and ends with the block."""
    port = free_port()
    command = [program, "--bind", "127.0.0.1", "--port", str(port), "--dir", str(folder), "--save", ""]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        _wait_for_redis(port)
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        server.terminate()
        server.wait()


def _wait_for_redis(port: int, patience_s: float = 10) -> None:
    give_up = time.monotonic() + patience_s
    while True:
        try:
            redis.Redis(port=port).ping()
            return
        except redis.ConnectionError:
            if time.monotonic() > give_up:
                raise
            time.sleep(0.02)


@cache
def postgres_programs() -> Path | None:
    """The folder of initdb and pg_ctl, with which a server of our own is started."""
    on_path = shutil.which("initdb")
    folders = [Path(on_path).parent] if on_path else sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    return folders[-1] if folders else None


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def left_out() -> list[str]:
    """A sentence for everything that the tests need and this machine lacks."""
    lacks = {
        "Chromium is not installed: nothing was looked at in a browser.": chromium(),
        "No PostgreSQL lets databases be made here (WHETSTONE_TEST_POSTGRES=postgresql://user:password@host names "
        "one): the platform was tested on SQLite alone.": postgres(),
        "redis-server is not installed: the platform was tested with the embedded broker alone.": redis_server(),
    }
    return [sentence for sentence, found in lacks.items() if found is None]
