"""The Celery worker as a process of its own, woken through a broker as the platform does it."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from celery import Celery

from contracts.event import Stopped
from contracts.queue import WAKE_TASK, queue_of
from tests.trainer_worker.jobs import grpo, make_spec
from tests.trainer_worker.other_side import JOIN_TOKEN, OtherSide
from tests.trainer_worker.test_attempts import finished

CELERY = [sys.executable, "-m", "celery", "-A", "trainer_worker.app", "worker", "--loglevel", "INFO"]


def environment(side: OtherSide, scratch: Path, broker: str, **more: str) -> dict[str, str]:
    return os.environ | {
        "WHETSTONE_URL": side.url,
        "WHETSTONE_WORKER_TOKEN": JOIN_TOKEN,
        "WHETSTONE_BROKER_URL": broker,
        "WHETSTONE_SCRATCH": str(scratch),
        "WHETSTONE_WORKER_NAME": "celery-1",
        "DJANGO_SETTINGS_MODULE": "whetstone.settings",
        **more,
    }


@contextmanager
def celery_worker(side: OtherSide, scratch: Path, broker: str, **more: str) -> Iterator[subprocess.Popen[bytes]]:
    scratch.mkdir(exist_ok=True)
    with (scratch / "celery.log").open("wb") as log, (scratch / "celery.out").open("wb") as out:
        process = subprocess.Popen(CELERY, env=environment(side, scratch, broker, **more), stdout=out, stderr=log)
    try:
        side.wait_for(lambda s: bool(s.hellos), 60)
        yield process
    finally:
        process.kill()
        process.wait()


def wake(broker: str) -> None:
    app = Celery(broker=broker, fixups=[])
    app.send_task(WAKE_TASK, kwargs={"job": "ftjob-1"}, queue=queue_of("cpu"), ignore_result=True)


def test_a_message_wakes_the_worker_and_a_term_signal_ends_it(side: OtherSide, tiny: Path, tmp_path: Path) -> None:
    broker = f"sqla+sqlite:///{tmp_path / 'broker.sqlite3'}"
    with celery_worker(side, tmp_path / "scratch", broker, WHETSTONE_IDLE_POLL_S="600") as process:
        wake(broker)
        time.sleep(1.0)  # the worker looks, and finds nothing
        side.queue(make_spec(side, tiny))
        queued_at = time.time()
        wake(broker)
        finished(side)
        assert side.reports[0].at - queued_at < 1.0
        assert side.hellos[0].worker == "celery-1"

        side.reports.clear()
        side.queue(make_spec(side, tiny, grpo(max_steps=1000, n_epochs=50), job="ftjob-2"))
        wake(broker)
        side.wait_for(lambda s: len(s.events("metrics")) > 1)
        process.send_signal(signal.SIGTERM)
        assert isinstance(side.wait_for_end(), Stopped)
        assert process.wait(15) == 0


def test_machines_read_one_object_a_line_with_job_and_attempt(side: OtherSide, tiny: Path, tmp_path: Path) -> None:
    broker, scratch = f"sqla+sqlite:///{tmp_path / 'broker.sqlite3'}", tmp_path / "scratch"
    with celery_worker(side, scratch, broker, WHETSTONE_LOG="json", WHETSTONE_IDLE_POLL_S="0.5") as process:
        side.queue(make_spec(side, tiny))
        finished(side)
        side.reports.clear()
        broken = side.store(b"{", "config.json")
        spec = make_spec(side, tiny, job="ftjob-2")
        files = tuple(broken if ref.path == "config.json" else ref for ref in spec.model.files)
        side.queue(spec.model_copy(update={"model": spec.model.model_copy(update={"files": files})}))
        side.wait_for_end()
        side.is_down = True  # a warning of the reporter's surroundings
        time.sleep(1.0)
        process.send_signal(signal.SIGTERM)
        process.wait(20)
    lines = [json.loads(line) for line in (scratch / "celery.log").read_text().splitlines()]
    assert (scratch / "celery.out").read_text().startswith("\nworker: Warm shutdown")
    assert all({"time", "level", "logger", "message"} <= set(line) for line in lines)
    of_job = [line for line in lines if line.get("job") == "ftjob-1"]
    assert {line["attempt"] for line in of_job} == {1}
    assert any(line["message"] == "job=ftjob-1 attempt=1 ended: reported" for line in of_job)
    printed = [line for line in lines if line["logger"] == "trainer_worker.training"]
    assert any("Traceback" in line["message"] for line in printed)
    assert {line["job"] for line in printed if "Traceback" in line["message"]} == {"ftjob-2"}
    assert {"celery", "trainer_worker"} <= {line["logger"].partition(".")[0] for line in lines}
    assert any("its launcher is process" in line["message"] for line in lines)


def test_an_idle_worker_asks_for_work_by_itself(side: OtherSide, tiny: Path, tmp_path: Path) -> None:
    broker = f"sqla+sqlite:///{tmp_path / 'broker.sqlite3'}"
    with celery_worker(side, tmp_path / "scratch", broker, WHETSTONE_IDLE_POLL_S="0.5") as process:
        side.queue(make_spec(side, tiny, grpo(max_steps=1000, n_epochs=50)))
        side.wait_for(lambda s: len(s.events("metrics")) > 1)
        training = descendants(process.pid)
        assert len(training) == 2
        process.kill()
        deadline = time.monotonic() + 5
        while any(is_running(pid) for pid in training):  # the kernel needs a moment
            assert time.monotonic() < deadline, "the launcher or the training outlived its worker"
            time.sleep(0.02)


def descendants(pid: int) -> list[int]:
    """Processes below this one, nearest first."""
    tasks = Path(f"/proc/{pid}/task")
    direct = [int(c) for task in tasks.iterdir() for c in (task / "children").read_text().split()]
    return direct + [pid for child in direct for pid in descendants(child)]


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_the_worker_never_imports_django_or_torch(side: OtherSide, tmp_path: Path) -> None:
    program = (
        "import sys, trainer_worker.app as a; a.app.finalize(); a.app.loader.import_default_modules();"
        "print([m for m in ('django.conf', 'whetstone', 'torch', 'transformers', 'trl') if m in sys.modules])"
    )
    printed = subprocess.run(
        [sys.executable, "-c", program],
        env=environment(side, tmp_path, "memory://"),
        capture_output=True,
        text=True,
        check=True,
    )
    assert printed.stdout.strip() == "[]"


def test_a_worker_without_a_token_says_so_and_does_not_start(side: OtherSide, tmp_path: Path) -> None:
    given = environment(side, tmp_path, "memory://")
    del given["WHETSTONE_WORKER_TOKEN"]
    ended = subprocess.run(CELERY, env=given, capture_output=True, text=True, check=False, timeout=60)
    assert ended.returncode != 0
    assert "WHETSTONE_WORKER_TOKEN is not set" in ended.stderr


def test_redis_wakes_the_worker_too(side: OtherSide, tiny: Path, tmp_path: Path, redis_url: str) -> None:
    with celery_worker(side, tmp_path / "scratch", redis_url, WHETSTONE_IDLE_POLL_S="600"):
        time.sleep(1.0)  # its first look finds nothing
        side.queue(make_spec(side, tiny))
        wake(redis_url)
        finished(side)
