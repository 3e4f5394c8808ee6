"""The whole way on one machine, with real processes: data in, a job, plugs pulled, a model out."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from scripts.compose import ROOT
from tests.end_to_end.laptop import (
    Laptop,
    created,
    descendants,
    free_port,
    prepared,
    series,
    until,
    up,
    upload,
)

pytestmark = pytest.mark.end_to_end

GSM8K = ROOT.parent / "shared" / "data" / "gsm8k" / "test.jsonl"
QUESTIONS = [{"messages": [{"role": "user", "content": f"{n}+{n}="}], "answer": str(2 * n)} for n in range(64)]
# A random model's answers differ in this: how many of their letters are among these.
LENIENT = {
    "type": "text_similarity",
    "name": "alike",
    "evaluation_metric": "fuzzy_match",
    "input": "{{ sample.output_text }}",
    "reference": "abcdefghijklmnopqrstuvwxyz",
}


def draft(file: str, grader: dict[str, Any] = LENIENT, **hyperparameters: Any) -> dict[str, Any]:
    sampling = {"num_generations": 4, "batch_size": 4, "max_completion_length": 8} | hyperparameters
    method = {"type": "grpo", "grpo": {"grader": grader, "hyperparameters": sampling}}
    return {"model": "starter-blank", "training_file": file, "method": method, "seed": 3}


@pytest.fixture(scope="session")
def questions(api: httpx.Client) -> str:
    return str(upload(api, "questions.jsonl", QUESTIONS)["id"])


def test_a_job_trains_and_leaves_rollouts_checkpoints_and_a_model(api: httpx.Client, questions: str) -> None:
    job = created(api, draft(questions, max_steps=4, checkpoint_interval=2) | {"validation_file": questions})
    done = until(api, job["id"])
    assert done["status"] == "succeeded", done["error"]
    told = series(api, job["id"])
    assert [step for step, _ in told["points"]["reward"]] == [1, 2, 3, 4]
    evaluated = [step for step, _ in told["evaluations"]["reward_mean"]]
    assert (evaluated[0], evaluated[-1]) == (0, 4)
    rollouts = api.get(f"/api/v1/jobs/{job['id']}/rollouts?step=2&order=best").json()
    assert rollouts["steps"] == [1, 2, 3, 4]
    assert rollouts["total"] == 16
    assert rollouts["rows"][0]["grade"]["score"] == rollouts["rows"][0]["reward"]
    checkpoints = api.get(f"/v1/fine_tuning/jobs/{job['id']}/checkpoints").json()["data"]
    assert [one["step_number"] for one in checkpoints] == [4, 2]
    assert api.get(f"/v1/models/{done['fine_tuned_model']}").json()["parameters"] > 1_000_000


@pytest.mark.skipif(not GSM8K.exists(), reason="GSM8K is not at hand on this machine")
def test_real_questions_are_mapped_and_trained_on(api: httpx.Client) -> None:
    file = upload(api, "gsm8k.jsonl", GSM8K.read_bytes())
    assert file["shape"] is None
    columns = [{"name": "question", "role": "prompt"}, {"name": "answer", "role": "reference", "after": "####"}]
    mapped = api.post(f"/api/v1/datasets/{file['id']}/mapping", json={"columns": columns}).json()
    assert mapped["shape"] == "prompt"
    number = {"type": "number", "name": "correct", "pick": "last"}
    grader = {"type": "multi", "graders": {"correct": number, "alike": LENIENT}, "calculate_output": "correct + alike"}
    done = until(api, created(api, draft(mapped["id"], grader, max_steps=2))["id"])
    assert done["status"] == "succeeded", done["error"]


def training_process(laptop: Laptop, patience_s: float = 30) -> int:
    """The process that trains: a fork of the launcher."""
    give_up = time.monotonic() + patience_s
    while time.monotonic() < give_up:
        for launcher in laptop.processes("trainer_worker.launcher"):
            if children := descendants(launcher):
                return children[0]
        time.sleep(0.05)
    raise AssertionError("nothing trains")


def test_a_killed_training_goes_on_from_its_checkpoint_and_tells_each_step_once(
    laptop: Laptop, api: httpx.Client, questions: str
) -> None:
    job = created(api, draft(questions, max_steps=30, n_epochs=4, checkpoint_interval=5))["id"]
    until(api, job, status=("running",), step=8)
    os.kill(training_process(laptop), signal.SIGKILL)
    done = until(api, job)
    assert done["status"] == "succeeded", done["error"]
    told = series(api, job)
    assert done["attempt"] == 2
    assert told["attempts"][1]["from_step"] >= 5
    assert [step for step, _ in told["points"]["reward"]] == list(range(1, 31))


def test_a_killed_web_process_loses_nothing(laptop: Laptop, api: httpx.Client, questions: str) -> None:
    job = created(api, draft(questions, max_steps=20, n_epochs=4))["id"]
    until(api, job, status=("running",), step=2)
    for pid in laptop.processes("uvicorn"):
        os.kill(pid, signal.SIGKILL)
    give_up = time.monotonic() + 30
    while time.monotonic() < give_up:
        try:
            if api.get("/readyz").status_code == 200:
                break
        except httpx.TransportError:
            time.sleep(0.1)
    done = until(api, job)
    assert (done["status"], done["attempt"]) == ("succeeded", 1)
    assert [step for step, _ in series(api, job)["points"]["reward"]] == list(range(1, 21))


def test_cancel_frees_the_machine_within_ten_seconds(laptop: Laptop, api: httpx.Client, questions: str) -> None:
    job = created(api, draft(questions, max_steps=2000, n_epochs=50, max_completion_length=256))["id"]
    until(api, job, status=("running",), step=1)
    pid = training_process(laptop)
    asked = time.monotonic()
    api.post(f"/v1/fine_tuning/jobs/{job}/cancel")
    assert until(api, job, patience_s=10)["status"] == "cancelled"
    while Path(f"/proc/{pid}").exists():
        assert time.monotonic() - asked < 10
        time.sleep(0.05)


def test_a_job_that_cannot_train_says_why_and_what_to_do(api: httpx.Client, questions: str) -> None:
    grader = {"type": "number", "name": "n", "reference": "not a number"}
    done = until(api, created(api, draft(questions, grader, max_steps=2))["id"])
    assert done["status"] == "failed"
    assert done["error"]["code"] == "grader.always_fails"
    assert "not a number" in done["error"]["message"]
    assert done["error"]["next_step"]


def test_a_second_start_finds_everything_as_it_was(tmp_path: Path) -> None:
    with prepared(tmp_path) as first:
        with first.api() as api:
            file = upload(api, "questions.jsonl", QUESTIONS)
            job = created(api, draft(file["id"], max_steps=2))["id"]
            until(api, job)
        processes = descendants(first.process.pid)
    assert not [pid for pid in processes if Path(f"/proc/{pid}").exists()], "Ctrl-C left processes behind"
    with up(tmp_path) as second, second.api() as api:
        assert api.get(f"/v1/fine_tuning/jobs/{job}").json()["status"] == "succeeded"
        done = until(api, created(api, draft(file["id"], max_steps=2))["id"])
        assert done["status"] == "succeeded"


def events_of(api: httpx.Client, job: str, after: int, most: int) -> list[int]:
    """Numbers of up to `most` live events behind `after`; fewer when the connection breaks or the job has told all."""
    seen: list[int] = []
    try:
        headers = {"Last-Event-ID": str(after)}
        with api.stream("GET", f"/api/v1/jobs/{job}/live", headers=headers, timeout=30) as answer:
            for line in answer.iter_lines():
                if line.startswith("id: "):
                    seen.append(int(line.removeprefix("id: ")))
                if len(seen) >= most or line == "event: end":
                    break
    except httpx.TransportError:
        pass  # the web process was killed: what was seen counts
    return seen


def test_a_live_stream_goes_on_where_it_broke_off(laptop: Laptop, api: httpx.Client, questions: str) -> None:
    job = created(api, draft(questions, max_steps=20, n_epochs=4))["id"]
    seen: list[int] = []
    to_kill = laptop.processes("uvicorn")
    for _round in range(600):
        seen += events_of(api, job, seen[-1] if seen else 0, most=7)
        if len(seen) >= 14 and to_kill:
            os.kill(to_kill.pop(), signal.SIGKILL)
        if done_telling(api, job, seen):
            break
        time.sleep(0.05)
    assert seen == list(range(1, len(seen) + 1))
    assert until(api, job)["status"] == "succeeded"


def done_telling(api: httpx.Client, job: str, seen: list[int]) -> bool:
    try:
        return (
            bool(seen)
            and api.get(f"/api/v1/jobs/{job}/series").json()["last"] == seen[-1]
            and (api.get(f"/v1/fine_tuning/jobs/{job}").json()["status"] == "succeeded")
        )
    except httpx.TransportError:
        return False


def resident_mb(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) / 1024


def test_200_megabytes_go_in_with_flat_memory(laptop: Laptop, api: httpx.Client, tmp_path: Path) -> None:
    row = b'{"messages": [{"role": "user", "content": "' + b"x" * 4000 + b'"}], "answer": "1"}\n'
    path = tmp_path / "large.jsonl"
    with path.open("wb") as file:
        for _ in range(200_000_000 // len(row)):
            file.write(row)
    upload(api, "small.jsonl", row * 3)
    web = laptop.processes("uvicorn")[0]
    before = resident_mb(web)
    peak, done = [before], threading.Event()

    def look() -> None:
        while not done.wait(0.05):
            peak.append(resident_mb(web))

    watch = threading.Thread(target=look)
    watch.start()
    with path.open("rb") as source:
        answer = api.post(
            "/v1/files", data={"purpose": "fine-tune"}, files={"file": ("large.jsonl", source)}, timeout=300
        )
    done.set()
    watch.join()
    assert answer.json()["rows"] == 200_000_000 // len(row)
    assert max(peak) - before < 60, f"{before:.0f} MB before, {max(peak):.0f} MB at the peak"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_either_signal_stops_every_process_also_in_the_background(tmp_path: Path, number: signal.Signals) -> None:
    """A shell starts `… &` with SIGINT ignored: it must stop us all the same."""
    script = f'"{sys.executable}" manage.py up --home "{tmp_path}" --port {free_port()} & echo $!; wait'
    shell = subprocess.Popen(["sh", "-c", script], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert shell.stdout
    pid = int(shell.stdout.readline())
    assert "Whetstone is at" in shell.stdout.readline()
    started = descendants(pid)
    assert len(started) >= 3
    os.kill(pid, number)
    shell.wait(30)
    give_up = time.monotonic() + 5  # the launcher hears of its worker's death from the kernel, a moment later
    while left := [one for one in started if Path(f"/proc/{one}").exists()]:
        assert time.monotonic() < give_up, left
        time.sleep(0.05)
