"""`whetstone` against a running platform: every command, and what it says when something is wrong."""

import hashlib
import json
import os
import signal
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest
import yaml

from scripts.compose import ROOT
from tests.end_to_end.command_line import Shell, key, shell
from tests.end_to_end.laptop import Laptop, created, until
from tests.end_to_end.test_laptop import LENIENT, QUESTIONS, draft, questions

__all__ = ["key", "questions", "shell"]
pytestmark = pytest.mark.end_to_end


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    path = tmp_path / "additions.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in QUESTIONS))
    return path


@pytest.fixture
def grader(tmp_path: Path) -> Path:
    path = tmp_path / "alphabet.json"
    path.write_text(json.dumps(LENIENT))
    return path


@pytest.fixture
def job_file(tmp_path: Path, rows: Path, grader: Path) -> Path:
    numbers = {"num_generations": 4, "batch_size": 4, "max_completion_length": 8, "max_steps": 3}
    document = {
        "model": "starter-blank",
        "training_file": f"file:./{rows.name}",
        "validation_file": f"file:{rows.name}",
        "method": {"type": "grpo", "grpo": {"evaluator": f"file:./{grader.name}", "hyperparameters": numbers}},
        "seed": 3,
    }
    path = tmp_path / "job.yaml"
    path.write_text(yaml.safe_dump(document))
    return path


def test_a_login_is_remembered_for_its_owner_alone(shell: Shell, laptop: Laptop, key: str, tmp_path: Path) -> None:
    del shell.environment["WHETSTONE_API_KEY"], shell.environment["WHETSTONE_URL"]
    shell.environment |= {"WHETSTONE_URL": "", "WHETSTONE_API_KEY": ""}
    shell.run("models", "list", code=1)
    assert "whetstone login" in shell.told
    shell.run("login", "--url", laptop.url, "--key", "wk-wrong", code=1)
    shell.run("login", typed=f"{laptop.url}/\n{key}\n")
    (kept,) = (tmp_path / "config").rglob("login.json")
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert key not in shell.said + shell.told
    assert "starter-blank" in shell.run("models", "list")
    shell.environment["WHETSTONE_API_KEY"] = "wk-wrong"
    shell.run("models", "list", code=1)


def test_a_file_is_pushed_once_and_mapped(shell: Shell, tmp_path: Path) -> None:
    file, mapping = tmp_path / "q.jsonl", tmp_path / "mapping.yaml"
    file.write_text("".join(json.dumps({"q": f"{n}?", "a": f"so #### {n}"}) + "\n" for n in range(12)))
    first = shell.json("datasets", "push", file, "--name", "mapped in CI")
    assert (first["ref"], first["shape"], first["rows"]) == ("mapped in CI@1", None, 12)
    assert first["sha256"] == hashlib.sha256(file.read_bytes()).hexdigest()
    assert "--mapping" in shell.told
    columns = [{"name": "q", "role": "prompt"}, {"name": "a", "role": "reference", "after": "####"}]
    mapping.write_text(yaml.safe_dump({"columns": columns}))
    push = ("datasets", "push", file, "--name", "mapped in CI", "--mapping", mapping)
    assert shell.run(*push) == "mapped in CI@2"
    assert shell.json(*push)["shape"] == "prompt"
    assert shell.run(*push[:5]) == "mapped in CI@2", "the same rows again are no new version"
    file.write_text(file.read_text() + '{"q": "12?", "a": "#### 12"}\n')
    assert shell.run(*push) == "mapped in CI@4", "uploaded, then mapped"


def test_evaluators_are_pushed_compared_and_tried(shell: Shell, grader: Path, rows: Path, tmp_path: Path) -> None:
    shell.run("datasets", "push", rows, "--name", "tried on")
    assert shell.run("evaluators", "push", grader, "--name", "letters-cli", "--note", "first") == "letters-cli@1"
    assert shell.run("evaluators", "push", grader, "--name", "letters-cli") == "letters-cli@1"
    changed = tmp_path / "changed.yaml"
    changed.write_text(yaml.safe_dump(LENIENT | {"reference": "0123456789"}))
    found = shell.json("evaluators", "diff", "letters-cli", changed, "--on", "tried on", "--rows", "10")
    assert [one["path"] for one in found["changes"]] == ["reference"]
    assert found["scores"]["total"] == 10
    assert "reference" in shell.run("evaluators", "diff", "letters-cli@1", changed, "--on", "tried on")
    tried = shell.json("evaluators", "try", changed, "--on", "tried on", "--rows", "3")
    assert len(tried["grades"]) == 3
    assert "score" in shell.run("evaluators", "try", "letters-cli", "--on", "tried on")
    changed.write_text("type: [")
    shell.run("evaluators", "push", changed, "--name", "x", code=1)
    assert "is not YAML" in shell.told
    changed.write_text("type: nonsense")
    shell.run("evaluators", "push", changed, "--name", "x", code=1)
    assert "type" in shell.told


def test_a_dry_run_says_what_would_run_and_starts_nothing(shell: Shell, job_file: Path, api: httpx.Client) -> None:
    newest = api.get("/v1/fine_tuning/jobs?limit=1").json()["data"]
    rows = job_file.parent / "additions.jsonl"
    unseen = shell.json("jobs", "create", job_file, "--dry-run")
    assert (unseen["ready"], unseen["preview"]["rows"]) == (True, None)
    assert unseen["not_checked"] == {"training_file": str(rows), "validation_file": str(rows)}
    assert f"{rows} is not on the platform" in shell.told
    assert api.get("/api/v1/datasets/additions").status_code == 404, "a dry run uploads nothing"
    whole = rows.read_text()
    rows.write_text(whole + "[1]\n")
    shell.run("jobs", "create", job_file, "--dry-run", code=1)
    assert "line 65 is no JSON object" in shell.told
    rows.write_text(whole)
    shell.run("datasets", "push", rows, "--name", "additions")
    found = shell.json("jobs", "create", job_file, "--dry-run", "--set", "method.grpo.hyperparameters.max_steps=2")
    assert found["not_checked"] == {}
    assert (found["ready"], found["preview"]["steps"], found["preview"]["rows"]) == (True, 2, 64)
    assert "grpo" in shell.run("jobs", "create", job_file, "--dry-run")
    shell.run("jobs", "create", job_file, "--dry-run", "--set", "model=nobody", code=1)
    assert "nobody" in shell.told
    assert api.get("/v1/fine_tuning/jobs?limit=1").json()["data"] == newest
    assert api.get("/api/v1/evaluators/alphabet").status_code == 404, "a dry run saves no evaluator"


def test_a_job_of_files_runs_to_its_end_and_its_model_is_pulled(
    shell: Shell, job_file: Path, tmp_path: Path, laptop: Laptop, key: str
) -> None:
    job = shell.run("jobs", "create", job_file, "--wait", "--set", "metadata.commit='123'")
    assert "succeeded" in shell.told
    done = shell.json("jobs", "show", job)
    assert done["status"] == "succeeded"
    assert done["metadata"] == {"commit": "123"}
    assert done["evaluator"] == "alphabet@1"
    assert done["training_file"] == done["validation_file"], "the same file is pushed once"
    assert job in shell.run("jobs", "list", "--limit", "5")
    assert "The model is saved." in shell.run("jobs", "events", job, "--limit", "200")
    lines = shell.run("jobs", "events", job, "--follow", "--limit", "1000", "--json").splitlines()
    assert [json.loads(one)["type"] for one in lines].count("metrics") >= 3
    folder = Path(shell.run("models", "pull", done["fine_tuned_model"], "--to", tmp_path / "model"))
    check = ["sha256sum", "--check", "--strict", "--quiet", "SHA256SUMS"]
    subprocess.run(check, cwd=folder, check=True)
    weights = folder / "model.safetensors"
    whole = weights.read_bytes()
    weights.unlink()
    weights.with_name("model.safetensors.part").write_bytes(whole[: len(whole) // 2])
    shell.run("models", "pull", done["fine_tuned_model"], "--to", folder)
    assert weights.read_bytes() == whole
    weights.with_name("model.safetensors.part").write_bytes(bytes(len(whole) // 2))
    weights.unlink()
    shell.run("models", "pull", done["fine_tuned_model"], "--to", folder)
    assert weights.read_bytes() == whole, "a beginning that is wrong is not built upon"
    half = len(whole) // 2
    address = f"{laptop.url}/api/v1/models/{done['fine_tuned_model']}/files/model.safetensors"
    answer = httpx.get(address, headers={"Authorization": f"Bearer {key}", "Range": f"bytes={half}-"})
    assert (answer.status_code, answer.content) == (206, whole[half:])
    assert answer.headers["content-range"] == f"bytes {half}-{len(whole) - 1}/{len(whole)}"


def test_a_job_is_paused_resumed_and_cancelled(shell: Shell, api: httpx.Client, questions: str) -> None:
    job = created(api, draft(questions, max_steps=500, n_epochs=50, max_completion_length=64))["id"]
    until(api, job, status=("running",), step=1)
    shell.run("jobs", "wait", job, "--timeout", "0", code=3)
    assert f"whetstone jobs wait {job}" in shell.told
    shell.run("jobs", "pause", job)
    until(api, job, status=("paused",))
    assert shell.json("jobs", "resume", job)["status"] == "queued"
    shell.run("jobs", "cancel", job)
    shell.run("jobs", "wait", job, code=2)
    assert "cancelled" in shell.told


def test_ctrl_c_leaves_the_job_running_and_says_how_to_go_on(
    shell: Shell, api: httpx.Client, questions: str, laptop: Laptop
) -> None:
    job = created(api, draft(questions, max_steps=500, n_epochs=50, max_completion_length=64))["id"]
    until(api, job, status=("running",), step=1)
    command = [sys.executable, "-m", "whetstone_cli", "jobs", "wait", job]
    waiting = subprocess.Popen(command, cwd=ROOT, env=os.environ | shell.environment, stderr=subprocess.PIPE, text=True)
    assert waiting.stderr
    assert job in waiting.stderr.readline()
    waiting.send_signal(signal.SIGINT)
    assert waiting.wait(20) == 130
    said = waiting.stderr.read()
    assert f"whetstone jobs wait {job}" in said
    assert "Traceback" not in said
    assert api.get(f"/v1/fine_tuning/jobs/{job}").json()["status"] == "running"
    api.post(f"/v1/fine_tuning/jobs/{job}/cancel")
    until(api, job)


def test_waiting_outlives_a_restart_of_the_web_process(
    shell: Shell, api: httpx.Client, questions: str, laptop: Laptop
) -> None:
    job = created(api, draft(questions, max_steps=12, n_epochs=4))["id"]
    command = [sys.executable, "-m", "whetstone_cli", "jobs", "wait", job]
    waiting = subprocess.Popen(command, cwd=ROOT, env=os.environ | shell.environment, stdout=subprocess.PIPE, text=True)
    time.sleep(1)
    for pid in laptop.processes("uvicorn"):
        os.kill(pid, signal.SIGKILL)
    said, _ = waiting.communicate(timeout=120)
    assert (waiting.returncode, said.strip()) == (0, job)


def test_what_is_wrong_is_said_in_a_sentence_with_the_next_step(shell: Shell, tmp_path: Path) -> None:
    shell.run("jobs", "show", "ftjob-none", code=1)
    assert "ftjob-none" in shell.told
    shell.run("datasets", "push", tmp_path / "none.jsonl", "--name", "x", code=1)
    assert "cannot be read" in shell.told
    (tmp_path / "job.yaml").write_text("- a list")
    shell.run("jobs", "create", tmp_path / "job.yaml", code=1)
    assert "holds no job" in shell.told
    (tmp_path / "job.yaml").write_text("model: starter-blank\ntraining_file: nobody-has-this")
    shell.run("jobs", "create", tmp_path / "job.yaml", code=1)
    assert "nobody-has-this" in shell.told
    shell.run("jobs", "create", tmp_path / "job.yaml", "--set", "model.name=x", code=1)
    assert "no object" in shell.told
    shell.run("jobs", "create", code=64)
    shell.run("models", "pull", "nobody", code=1)
    shell.environment["WHETSTONE_URL"] = "nonsense://x"
    shell.run("models", "list", code=1)


@contextmanager
def losing_first_answers(url: str) -> Iterator[str]:
    """The platform behind somebody who does the first POST and loses its answer."""
    lost = threading.Event()

    class Between(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self._pass_on(self.rfile.read(int(self.headers["content-length"])))

        def do_GET(self) -> None:
            self._pass_on(b"")

        def _pass_on(self, body: bytes) -> None:
            headers = {name: value for name, value in self.headers.items() if name.lower() != "host"}
            answer = httpx.request(self.command, url + self.path, content=body, headers=headers, timeout=30)
            if self.command == "POST" and not lost.is_set():
                lost.set()
                self.connection.close()
                return
            self.send_response(answer.status_code)
            self.send_header("content-length", str(len(answer.content)))
            self.end_headers()
            self.wfile.write(answer.content)

    with ThreadingHTTPServer(("127.0.0.1", 0), Between) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_a_job_whose_answer_was_lost_is_created_once(
    shell: Shell, api: httpx.Client, questions: str, tmp_path: Path, laptop: Laptop
) -> None:
    file = tmp_path / "job.json"
    file.write_text(json.dumps(draft(questions, max_steps=1) | {"metadata": {"only": "once"}}))
    with losing_first_answers(laptop.url) as url:
        shell.environment["WHETSTONE_URL"] = url
        job = shell.run("jobs", "create", file)
    found = api.get("/v1/fine_tuning/jobs?metadata[only]=once").json()["data"]
    assert [one["id"] for one in found] == [job]
    until(api, job)
