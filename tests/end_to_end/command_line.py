"""The command line, called as a shell calls it, with a home of its own."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from tests.end_to_end.laptop import USER, Laptop
from whetstone_cli.commands import app


@dataclass
class Shell:
    """`said` is stdout, `told` is stderr."""

    environment: dict[str, str]
    code: int = 0
    said: str = ""
    told: str = ""

    def run(self, *words: str | Path, code: int = 0, typed: str = "") -> str:
        """What the command prints on stdout."""
        done = CliRunner().invoke(app, [str(word) for word in words], env=self.environment, input=typed)
        self.code, self.said, self.told = done.exit_code, done.stdout, done.stderr
        assert done.exit_code == code, (done.exit_code, done.stdout, done.stderr, done.exception)
        assert "Traceback" not in done.stderr
        return done.stdout.strip()

    def json(self, *words: str | Path, code: int = 0) -> Any:  # Any: JSON
        return json.loads(self.run(*words, "--json", code=code))


@pytest.fixture(scope="session")
def key(laptop: Laptop) -> str:
    return laptop.manage("createkey", "--user", USER)


@pytest.fixture
def shell(laptop: Laptop, key: str, tmp_path: Path) -> Shell:
    own = {"HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path / "config"), "COLUMNS": "200"}
    return Shell(own | {"WHETSTONE_URL": laptop.url, "WHETSTONE_API_KEY": key})
