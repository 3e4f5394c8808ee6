"""What production stands on goes away: Redis, and connections to PostgreSQL."""

import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path

import psycopg2
import pytest
import redis

from scripts import machine
from tests.faults.place import place
from tests.faults.runs import STEPS, Bench, Row, full_form_only, harmed
from tests.faults.test_kills import kill_trainer
from tests.faults.trainers import Trainer

pytestmark = [pytest.mark.faults, pytest.mark.timeout(900), full_form_only]
STOPPED_S = 15.0


@dataclass
class Redis:
    """A server of our own with its append-only file, as docker-compose.yml starts it."""

    program: str
    folder: Path
    port: int
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        command = [self.program, "--bind", "127.0.0.1", "--port", str(self.port), "--dir", str(self.folder)]
        self.process = subprocess.Popen([*command, "--save", "", "--appendonly", "yes"], stdout=subprocess.DEVNULL)

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def flush(self) -> None:
        redis.Redis(port=self.port).flushall()


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Redis]:
    program = machine.redis_server() or pytest.skip("LEFT OUT: redis-server is not installed")
    server = Redis(program, tmp_path_factory.mktemp("redis"), machine.free_port())
    server.start()
    yield server
    server.kill()


@pytest.fixture(scope="module")
def bench(broker: Redis, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """On PostgreSQL and Redis."""
    server = machine.postgres() or pytest.skip("LEFT OUT: no PostgreSQL lets databases be made here")
    with ExitStack() as stack:
        url = stack.enter_context(machine.fresh_database(server))
        folder = tmp_path_factory.mktemp("production")
        settings = {"DATABASE_URL": url, "WHETSTONE_BROKER_URL": broker.url}
        yield Bench.at(stack.enter_context(place(folder, settings)))


def test_a_redis_that_starts_again_loses_nothing(bench: Bench, broker: Redis) -> None:
    row = Row("Redis killed and started again, and SIGKILL of the training process")

    def restart(trainer: Trainer) -> None:
        broker.kill()
        kill_trainer(trainer)
        broker.start()

    for _ in range(3):
        harmed(bench, row, restart)
    row.write()


def test_a_flushed_redis_loses_nothing(bench: Bench, broker: Redis) -> None:
    row = Row("Redis flushed, and SIGKILL of the training process")

    def flush(trainer: Trainer) -> None:
        kill_trainer(trainer)
        broker.flush()

    for _ in range(3):
        harmed(bench, row, flush)
    row.write()


def test_a_stopped_redis_loses_nothing(bench: Bench, broker: Redis) -> None:
    row = Row(f"Redis stopped for {STOPPED_S:.0f} s, and SIGKILL of the training process")

    def stop(trainer: Trainer) -> None:
        broker.kill()
        kill_trainer(trainer)
        time.sleep(STOPPED_S)
        broker.start()

    for _ in range(2):
        harmed(bench, row, stop)
    row.write()


def test_torn_connections_to_postgresql_lose_nothing(bench: Bench) -> None:
    row = Row("All connections to PostgreSQL terminated, 10 times a second for 5 s")
    others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = %s"

    def tear(trainer: Trainer) -> None:
        url = bench.place.settings["DATABASE_URL"]
        server, _, name = url.rpartition("/")
        with closing(psycopg2.connect(f"{server}/postgres")) as connection, connection.cursor() as cursor:
            for _ in range(50):
                cursor.execute(others, (name,))
                time.sleep(0.1)

    for _ in range(3):
        harmed(bench, row, tear, at_step=STEPS // 4)
    row.write()
