"""MLflow's tracking server from PyPI, in a virtual environment of its own, which is made once and kept.

What is started is `mlflow server` with four gunicorn workers. MLflow has a second way, uvicorn, its default; that took
in fewer points here. Its jobs and its telemetry are off, so that nothing else has it work.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

import httpx

from benchmarks._database import rows
from benchmarks._runs import Run, Server, values
from scripts.compose import ROOT
from scripts.machine import free_port

VERSION = "3.17.2"
PACKAGES = (f"mlflow=={VERSION}", "gunicorn==26.2.0", "SQLAlchemy==2.1.9", "psycopg[binary]==3.3.9")
WORKERS = 4  # as many as MLflow starts unasked
POINTS_A_REQUEST = 1000
"""The most that MLflow takes: https://mlflow.org/docs/latest/rest-api.html, Log Batch."""
KEPT = "SELECT run_uuid, step, key, value FROM metrics"
QUIET = {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", "MLFLOW_DISABLE_TELEMETRY": "true"}


def install() -> Path | None:
    """The `mlflow` program, installed if it is not there. None, when pip cannot bring it: the reason is printed."""
    folder = ROOT / ".whetstone" / "benchmarks" / f"mlflow-{VERSION}"
    program, stamp = folder / "bin" / "mlflow", folder / "installed"
    if stamp.exists():
        return program
    print(f"Installing MLflow {VERSION} into {folder}, once: about 900 MB", flush=True)
    pip = [str(folder / "bin" / "pip"), "install", "--quiet", "--retries", "1", *PACKAGES]
    try:
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
        subprocess.run(pip, check=True)
    except subprocess.CalledProcessError:
        return None
    stamp.touch()
    return program


@contextmanager
def mlflow(program: Path, database_url: str | None, runs: int) -> Iterator[Server]:
    """`mlflow server` on SQLite, or on the database that is given."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as clients:
        database = database_url or f"sqlite:///{folder}/mlflow.sqlite3"
        url = clients.enter_context(_serve(program, database, Path(folder)))
        made = tuple(_run(clients.enter_context(httpx.Client(base_url=url, timeout=60))) for _ in range(runs))
        yield Server(made, lambda: iter(rows(database, KEPT)))


@contextmanager
def _serve(program: Path, database: str, folder: Path) -> Iterator[str]:
    port = free_port()
    store = database.replace("postgresql://", "postgresql+psycopg://")
    options = {"--backend-store-uri": store, "--default-artifact-root": folder / "artifacts", "--port": port}
    options |= {"--workers": WORKERS, "--gunicorn-opts": "--log-level warning"}
    command = [str(part) for part in (program, "server", *(part for pair in options.items() for part in pair))]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            command, cwd=folder, env=os.environ | QUIET, stdout=log, stderr=log, start_new_session=True
        )
    try:
        _wait(f"http://127.0.0.1:{port}", process, folder / "log")
        yield f"http://127.0.0.1:{port}"
    finally:
        _stop(process)


def _wait(url: str, process: subprocess.Popen[bytes], log: Path, patience_s: float = 120) -> None:
    give_up = time.monotonic() + patience_s
    while not _is_healthy(url):
        if process.poll() is not None or time.monotonic() > give_up:
            raise SystemExit(f"MLflow did not start. The end of what it printed:\n{log.read_text()[-2000:]}")
        time.sleep(0.2)


def _is_healthy(url: str) -> bool:
    try:
        return httpx.get(f"{url}/health").is_success
    except httpx.TransportError:
        return False


def _stop(process: subprocess.Popen[bytes]) -> None:
    """End the server with its workers, which do not all end with it."""
    try:
        os.killpg(process.pid, signal.SIGTERM)
    except ProcessLookupError:
        pass  # it ended by itself
    process.wait(30)


def _run(client: httpx.Client) -> Run:
    new = {"experiment_id": "0", "start_time": _now_ms()}
    answer = client.post("/api/2.0/mlflow/runs/create", json=new).raise_for_status().json()
    client.headers["Content-Type"] = "application/json"
    run = str(answer["run"]["info"]["run_id"])
    return Run(run, client, "/api/2.0/mlflow/runs/log-batch", partial(_body, run))


def _body(run: str, steps: range) -> bytes:
    now = _now_ms()
    points = ((step, key, value) for step in steps for key, value in values(step).items())
    metrics = [{"key": key, "value": value, "timestamp": now, "step": step} for step, key, value in points]
    return json.dumps({"run_id": run, "metrics": metrics}).encode()


def _now_ms() -> int:
    return int(time.time() * 1000)
