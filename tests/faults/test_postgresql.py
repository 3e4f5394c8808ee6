"""A PostgreSQL server of our own, which dies and starts again."""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from scripts import machine
from tests.faults.place import place
from tests.faults.runs import Bench, Row, full_form_only, harmed
from tests.faults.test_kills import kill_trainer
from tests.faults.trainers import Trainer

pytestmark = [pytest.mark.faults, pytest.mark.timeout(900), full_form_only]
DOWN_S = 10.0


@dataclass
class Server:
    """As Debian runs it: not as root."""

    programs: Path
    folder: Path
    port: int

    @property
    def url(self) -> str:
        return f"postgresql://postgres@127.0.0.1:{self.port}/postgres"

    def create(self) -> None:
        self._run("initdb", "--auth=trust", "--username=postgres", "--no-sync")

    def start(self) -> None:
        options = f"-h 127.0.0.1 -p {self.port} -k {self.folder}"
        self._run("pg_ctl", "start", "--wait", "--silent", "-o", options, "-l", str(self.folder / "log"))

    def crash(self) -> None:
        """All its processes end at once, and it recovers from its log at the next start."""
        self._run("pg_ctl", "stop", "--mode", "immediate", "--silent")

    def _run(self, program: str, *arguments: str) -> None:
        somebody_else = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        command = [*somebody_else, str(self.programs / program), "-D", str(self.folder / "data"), *arguments]
        subprocess.run(command, cwd=self.folder, check=True, stdout=subprocess.DEVNULL, timeout=120)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    programs = machine.postgres_programs() or pytest.skip("LEFT OUT: PostgreSQL's own programs are not installed")
    folder = Path(tempfile.mkdtemp(prefix="whetstone-postgresql-"))
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres")
    found = Server(programs, folder, machine.free_port())
    found.create()
    found.start()
    yield found
    found.crash()
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def bench(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    with ExitStack() as stack:
        yield Bench.at(stack.enter_context(place(tmp_path_factory.mktemp("server"), {"DATABASE_URL": server.url})))


def test_a_postgresql_that_starts_again_loses_nothing(bench: Bench, server: Server) -> None:
    row = Row("PostgreSQL crashed and started again, three times within a job")

    def crash(trainer: Trainer) -> None:
        for _ in range(3):
            server.crash()
            server.start()
            time.sleep(1)

    for _ in range(3):
        harmed(bench, row, crash)
    row.write()


def test_a_postgresql_that_is_away_for_two_leases_loses_nothing(bench: Bench, server: Server) -> None:
    row = Row(f"PostgreSQL stopped for {DOWN_S:.0f} s, and SIGKILL of the training process")

    def stop(trainer: Trainer) -> None:
        server.crash()
        kill_trainer(trainer)
        time.sleep(DOWN_S)
        server.start()

    for _ in range(2):
        harmed(bench, row, stop)
    row.write()
