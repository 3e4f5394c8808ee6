"""The starter model with its bad habit, trained once for all tests that take the habit away."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from contracts.method import FullMethod
from tests.learn.support import Learned, Room, held_out
from trainer_worker.launching import LauncherProcess
from whetstone.starter import data, model, recipe

ROOM = pytest.StashKey[Room]()


@pytest.fixture(scope="session")
def room(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Room]:
    folder = tmp_path_factory.mktemp("learn")
    launcher = LauncherProcess(folder)
    made = request.config.stash[ROOM] = Room(launcher, folder)
    yield made
    launcher.close()


@pytest.fixture(scope="session")
def blank(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The starter model without weights."""
    folder = tmp_path_factory.mktemp("blank")
    model.build(folder)
    return folder


@pytest.fixture(scope="session")
def upbringing(room: Room, blank: Path) -> Learned:
    """How the starter model got its habits: demonstrations of which seven in ten forget the carry."""
    method = FullMethod.model_validate(recipe.FULL)
    return room.learn(method, data.demonstrations(recipe.DEMONSTRATIONS), held_out(rows=128), base=blank)


@pytest.fixture(scope="session")
def starter(upbringing: Learned) -> Path:
    """The starter model: right on about half of the held-out problems, wrong where it forgets the carry."""
    return upbringing.model


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    for learned in config.stash[ROOM].held if ROOM in config.stash else []:
        terminalreporter.write_line(f"LEARNED: {learned.line()}")
