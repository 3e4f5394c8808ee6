"""`manage.py up` in a home of its own: web, supervisor, one worker, SQLite for everything."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import orjson

from scripts.compose import ROOT
from whetstone.starter import data

USER, PASSWORD = "ada", "lovelace-1843"
PREPARE = f"""
from whetstone.accounts.models import User
from whetstone.accounts.scope import team_of
from whetstone.operations.seed import blank_model
user = User.objects.filter(username="{USER}").first() or User.objects.create_user("{USER}", password="{PASSWORD}")
print(blank_model(user, team_of(user)).name)
"""
ENDED = ("succeeded", "failed", "cancelled")


@dataclass
class Laptop:
    """A running platform, and what a person at it can do."""

    home: Path
    url: str
    process: subprocess.Popen[bytes]
    settings: dict[str, str]
    """The environment of every command that belongs to it."""

    def manage(self, *arguments: str) -> str:
        """The last line that a management command prints."""
        command = [sys.executable, "manage.py", *arguments]
        done = subprocess.run(command, cwd=ROOT, env=self.settings, stdout=subprocess.PIPE, text=True, check=True)
        return done.stdout.splitlines()[-1]

    def api(self) -> httpx.Client:
        key = self.manage("createkey", "--user", USER)
        return httpx.Client(base_url=self.url, headers={"Authorization": f"Bearer {key}"}, timeout=30)

    def log(self, name: str) -> str:
        path = self.home / "logs" / f"{name}.log"
        return path.read_text() if path.exists() else ""

    def processes(self, part: str) -> list[int]:
        """Process ids below this platform whose command line contains the text."""
        return [pid for pid in descendants(self.process.pid) if part in command_of(pid)]


def descendants(pid: int) -> list[int]:
    found: list[int] = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal() and parent_of(int(entry.name)) == pid:
            found += [int(entry.name), *descendants(int(entry.name))]
    return found


def parent_of(pid: int) -> int | None:
    try:
        return int((Path("/proc") / str(pid) / "stat").read_text().rpartition(")")[2].split()[1])
    except (FileNotFoundError, ProcessLookupError):
        return None


def command_of(pid: int) -> str:
    try:
        return (Path("/proc") / str(pid) / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return ""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def up(home: Path, database_url: str | None = None) -> Iterator[Laptop]:
    """Start, wait until it is ready, and stop it as Ctrl-C would. Without a database URL: SQLite in the home."""
    port = free_port()
    command = [sys.executable, "manage.py", "up", "--home", str(home), "--port", str(port)]
    environment = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    environment |= {"WHETSTONE_HOME": str(home), "WHETSTONE_MODEL_FOLDERS": str((home / "brought").absolute())}
    environment |= {"DATABASE_URL": database_url} if database_url else {}
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE)
    assert process.stdout
    said = process.stdout.readline().decode()
    assert "Whetstone is at" in said, said
    try:
        yield Laptop(home, f"http://127.0.0.1:{port}", process, environment)
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(40)


@contextmanager
def prepared(home: Path, database_url: str | None = None) -> Iterator[Laptop]:
    """The same, with a user and a model without weights."""
    with up(home, database_url) as started:
        started.manage("shell", "--no-imports", "--command", PREPARE)
        yield started


def upload(api: httpx.Client, name: str, rows: list[dict[str, Any]] | bytes) -> dict[str, Any]:
    content = rows if isinstance(rows, bytes) else b"".join(orjson.dumps(row) + b"\n" for row in rows)
    answer = api.post("/v1/files", data={"purpose": "fine-tune"}, files={"file": (name, content)}, timeout=120)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def created(api: httpx.Client, draft: dict[str, Any]) -> dict[str, Any]:
    answer = api.post("/v1/fine_tuning/jobs", json=draft)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def until(
    api: httpx.Client, job: str, *, status: tuple[str, ...] = ENDED, step: int = 0, patience_s: float = 120
) -> dict[str, Any]:
    """The job, once it has one of the states and has done so many steps."""
    give_up = time.monotonic() + patience_s
    while True:
        now: dict[str, Any] = api.get(f"/v1/fine_tuning/jobs/{job}").json()
        if now["status"] in status and now["step"] >= step:
            return now
        assert time.monotonic() < give_up, json.dumps(now, indent=1)
        assert now["status"] not in ENDED, json.dumps(now, indent=1)
        time.sleep(0.1)


def young_starter(api: httpx.Client) -> str:
    """A model that writes sums, mostly wrong: the starter after a few of its own steps."""
    file = upload(api, "demonstrations.jsonl", list(data.demonstrations(320)))["id"]
    hyperparameters = {"n_epochs": 3, "batch_size": 16, "learning_rate": 0.003}
    method = {"type": "full", "full": {"hyperparameters": hyperparameters}}
    draft = {"model": "starter-blank", "training_file": file, "method": method, "suffix": "young", "seed": 1}
    done = until(api, created(api, draft)["id"])
    assert done["status"] == "succeeded", done["error"]
    return str(done["fine_tuned_model"])


def series(api: httpx.Client, job: str) -> dict[str, Any]:
    return dict(api.get(f"/api/v1/jobs/{job}/series").json())
