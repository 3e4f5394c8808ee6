import os
import signal
import time
from pathlib import Path

import pytest

from trainer_worker.launching import LauncherDied, LauncherProcess


def wait_for(launcher: LauncherProcess, training: object, timeout_s: float = 10) -> None:
    deadline = time.monotonic() + timeout_s
    while training.status is None and time.monotonic() < deadline:  # type: ignore[attr-defined]
        launcher.listen(0.2)


def test_it_forks_a_process_for_every_request_and_reports_how_it_ended(
    launcher: LauncherProcess, tmp_path: Path
) -> None:
    trainings = [launcher.launch(tmp_path / f"missing-{n}.json") for n in range(3)]
    for training in trainings:
        wait_for(launcher, training)
    assert len({training.pid for training in trainings}) == 3
    assert [training.status for training in trainings] == [3, 3, 3]


def test_it_has_one_thread_that_computes(launcher: LauncherProcess) -> None:
    threads = [
        Path(f"/proc/{launcher.pid}/task/{task}/comm").read_text().strip()
        for task in os.listdir(f"/proc/{launcher.pid}/task")
    ]
    # Arrow's allocator keeps one that frees pages; it is made anew after a fork.
    assert [name for name in threads if name != "jemalloc_bg_thd"] == [threads[0]]


def test_its_environment_holds_no_secret_of_the_worker(tmp_path: Path, launcher: LauncherProcess) -> None:
    environment = Path(f"/proc/{launcher.pid}/environ").read_bytes()
    assert b"WHETSTONE_" not in environment
    assert b"OMP_WAIT_POLICY=PASSIVE" in environment
    assert b"HF_HUB_DISABLE_TELEMETRY=1" in environment


def test_a_library_that_cannot_be_imported_fails_loudly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "trl").mkdir()
    (tmp_path / "trl" / "__init__.py").write_text("raise ImportError('trl is broken here')")
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}{os.pathsep}{os.environ.get('PYTHONPATH', '')}")
    launcher = LauncherProcess(tmp_path)
    with pytest.raises(LauncherDied, match="trl is broken here"):
        launcher.wait_until_ready()


def test_killing_the_launcher_is_noticed(tmp_path: Path) -> None:
    launcher = LauncherProcess(tmp_path)
    os.kill(launcher.pid, signal.SIGKILL)
    with pytest.raises(LauncherDied, match="status -9"):
        launcher.wait_until_ready()
    assert not launcher.is_alive
