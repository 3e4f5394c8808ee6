"""Starting and stopping `manage.py up` in every rude way."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from scripts.compose import ROOT
from tests.end_to_end.laptop import PREPARE, USER, Laptop, descendants, free_port, up

pytestmark = pytest.mark.end_to_end


def manage(*arguments: str, cwd: Path = ROOT, **environment: str) -> "subprocess.CompletedProcess[str]":
    clean = {name: value for name, value in os.environ.items() if not name.startswith("WHETSTONE_")}
    command = [sys.executable, str(ROOT / "manage.py"), *arguments]
    return subprocess.run(command, cwd=cwd, env=clean | environment, capture_output=True, text=True, timeout=60)


def started(home: str, cwd: Path, *options: str) -> Laptop:
    port = free_port()
    command = [sys.executable, str(ROOT / "manage.py"), "up", home, "--port", str(port), *options]
    clean = {name: value for name, value in os.environ.items() if not name.startswith("WHETSTONE_")}
    process = subprocess.Popen(command, cwd=cwd, env=clean, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout
    assert b"Whetstone is at" in process.stdout.readline()
    place = cwd / home.partition("=")[2]
    return Laptop(place, f"http://127.0.0.1:{port}", process, clean | {"WHETSTONE_HOME": str(place)})


def gone(pids: list[int], patience_s: float = 25) -> bool:
    give_up = time.monotonic() + patience_s
    while time.monotonic() < give_up:
        if not any(Path(f"/proc/{pid}").exists() for pid in pids):
            return True
        time.sleep(0.1)
    return False


def with_launcher(laptop: Laptop) -> list[int]:
    """All processes of the platform, once the worker's launcher is among them."""
    give_up = time.monotonic() + 30
    while not laptop.processes("trainer_worker.launcher"):
        assert time.monotonic() < give_up
        time.sleep(0.1)
    return descendants(laptop.process.pid)


def test_a_relative_home_with_spaces_is_used_and_a_kill_leaves_nothing_behind(tmp_path: Path) -> None:
    laptop = started("--home=my home", tmp_path)
    processes = with_launcher(laptop)
    assert (tmp_path / "my home" / "platform.sqlite3").exists()
    assert not (tmp_path / ".whetstone").exists()
    laptop.manage("shell", "--no-imports", "--command", PREPARE)
    key = manage("createkey", "--user", USER, cwd=tmp_path, WHETSTONE_HOME="my home")
    assert key.stdout.startswith("wk-")
    assert (key.stdout.count("\n"), key.stderr) == (1, "")
    laptop.process.send_signal(signal.SIGKILL)
    laptop.process.wait()
    assert gone(processes)
    with up(tmp_path / "my home") as again:
        assert again.api().get("/v1/models").status_code == 200


def test_pressing_ctrl_c_again_and_again_stops_everything(tmp_path: Path) -> None:
    laptop = started("--home=here", tmp_path)
    processes = with_launcher(laptop)
    for signum in (signal.SIGINT, signal.SIGINT, signal.SIGTERM, signal.SIGINT):
        laptop.process.send_signal(signum)
        time.sleep(0.1)
    _out, said = laptop.process.communicate(timeout=60)
    assert gone(processes, patience_s=5)
    assert laptop.process.returncode == 0
    assert b"Traceback" not in said


def test_ctrl_c_while_it_starts_is_quiet_and_leaves_nothing_behind(tmp_path: Path) -> None:
    command = [sys.executable, "manage.py", "up", "--home", str(tmp_path), "--port", str(free_port())]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    while len(processes := descendants(process.pid)) < 3:
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _out, said = process.communicate(timeout=60)
    assert gone(processes, patience_s=5)
    assert b"Traceback" not in said


def test_a_taken_home_or_port_is_said_in_a_sentence(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = str(other.getsockname()[1])
        taken = manage("up", "--home", str(tmp_path), "--port", port)
        assert f"Cannot listen on 127.0.0.1, port {port}: Address already in use" in taken.stderr
    nowhere = manage("up", "--home", str(tmp_path), "--port", "99999")
    assert "Cannot listen on 127.0.0.1, port 99999" in nowhere.stderr
    with up(tmp_path):
        second = manage("up", "--home", str(tmp_path), "--port", str(free_port()))
        assert "Another `manage.py up` runs in" in second.stderr
    odd = manage("up", "--home", str(tmp_path / "50%"))
    assert "must not hold" in odd.stderr
    for said in (taken, nowhere, second, odd):
        assert said.returncode != 0
        assert "Traceback" not in said.stderr


def test_a_platform_that_listens_to_all_says_whom_it_answers(tmp_path: Path) -> None:
    laptop = started("--home=here", tmp_path, "--host", "0.0.0.0")
    assert laptop.process.stdout
    said = laptop.process.stdout.readline() + laptop.process.stdout.readline()
    laptop.process.send_signal(signal.SIGINT)
    laptop.process.communicate(timeout=60)
    assert b"answers only who calls it 127.0.0.1 or localhost" in said
    assert b"WHETSTONE_ALLOWED_HOSTS=" in said


@pytest.mark.parametrize(
    "command", [("createkey", "--user", USER), ("doctor",), ("backup", "x.tar"), ("seed_demo",)], ids=lambda c: c[0]
)
def test_a_command_in_a_home_that_was_never_started_says_so(tmp_path: Path, command: tuple[str, ...]) -> None:
    said = manage(*command, cwd=tmp_path, WHETSTONE_HOME="empty")
    assert said.returncode == 1
    assert f"The platform in {tmp_path / 'empty'} was never started" in said.stderr
    assert "Traceback" not in said.stderr
    assert said.stdout == ""
