"""docker-compose.yml's topology, on plain processes: PostgreSQL, Redis, web, supervisor, two workers, and two jobs."""

import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import httpx
import orjson
import pytest

from scripts import machine
from scripts.compose import ROOT
from scripts.production_here import Production, production

pytestmark = pytest.mark.end_to_end

USER = "ada"
PREPARE = f"""
from whetstone.accounts.models import User
from whetstone.accounts.scope import team_of
from whetstone.operations.seed import blank_model
user = User.objects.create_user("{USER}")
print(blank_model(user, team_of(user)).name)
"""
ROWS = [
    {
        "messages": [{"role": "user", "content": f"{n}+{n}="}, {"role": "assistant", "content": str(2 * n)}],
        "answer": str(2 * n),
    }
    for n in range(16)
]
QUESTIONS = [{"messages": row["messages"][:1], "answer": row["answer"]} for row in ROWS]
SMALL = {"max_steps": 2, "batch_size": 2}
GRADER = {
    "type": "string_check",
    "name": "exact",
    "operation": "eq",
    "input": "{{ sample.output_text }}",
    "reference": "{{ item.answer }}",
}


@pytest.fixture(scope="module")
def here() -> Iterator[Production]:
    if machine.postgres() is None or machine.redis_server() is None:
        pytest.skip("LEFT OUT: the topology needs a PostgreSQL and redis-server")
    with production(workers=2) as started:
        yield started


@pytest.fixture(scope="module")
def model(here: Production) -> str:
    """A model without weights, registered by the platform itself."""
    return manage(here, "shell", "--no-imports", "--command", PREPARE)


@pytest.fixture(scope="module")
def api(here: Production, model: str) -> Iterator[httpx.Client]:
    key = manage(here, "createkey", "--user", USER)
    with httpx.Client(base_url=here.url, headers={"Authorization": f"Bearer {key}"}, timeout=30) as client:
        yield client


def manage(here: Production, *arguments: str) -> str:
    """What a management command prints last."""
    command = [sys.executable, "manage.py", *arguments]
    done = subprocess.run(command, cwd=ROOT, env=here.settings, stdout=subprocess.PIPE, text=True, check=True)
    return done.stdout.splitlines()[-1]


def upload(api: httpx.Client, name: str, rows: list[dict[str, Any]]) -> str:
    content = b"".join(orjson.dumps(row) + b"\n" for row in rows)
    answer = api.post("/v1/files", data={"purpose": "fine-tune"}, files={"file": (name, content)})
    assert answer.status_code == 200, answer.text
    return str(answer.json()["id"])


def carried_out(api: httpx.Client, here: Production, draft: dict[str, Any], patience_s: float = 150) -> dict[str, Any]:
    """The job of this draft, once it has ended."""
    answer = api.post("/v1/fine_tuning/jobs", json=draft)
    assert answer.status_code == 200, answer.text
    job: dict[str, Any] = answer.json()
    give_up = time.monotonic() + patience_s
    while job["status"] not in ("succeeded", "failed", "cancelled"):
        assert time.monotonic() < give_up, f"{job['status']}\n{here.log_of('worker-1').read_text()}"
        time.sleep(0.2)
        job = api.get(f"/v1/fine_tuning/jobs/{job['id']}").json()
    assert job["status"] == "succeeded", job["error"]
    return job


def test_a_job_walks_through_production(api: httpx.Client, here: Production, model: str) -> None:
    """PostgreSQL, Redis and a worker that knows the web alone: first supervised, then GRPO on what came out."""
    supervised = {"type": "full", "full": {"hyperparameters": SMALL}}
    dataset = upload(api, "sums.jsonl", ROWS)
    trained = carried_out(api, here, {"model": model, "training_file": dataset, "method": supervised})
    sampling = SMALL | {"num_generations": 2, "max_completion_length": 8}
    reinforced = {"type": "grpo", "grpo": {"grader": GRADER, "hyperparameters": sampling}}
    questions = upload(api, "questions.jsonl", QUESTIONS)
    draft = {"model": trained["fine_tuned_model"], "training_file": questions, "method": reinforced}
    job = carried_out(api, here, draft)
    series = api.get(f"/api/v1/jobs/{job['id']}/series").json()
    assert [step for step, _reward in series["points"]["reward"]] == [1, 2]


def test_both_workers_have_joined_under_names_of_their_own(api: httpx.Client, here: Production) -> None:
    names = "from whetstone.workers.models import Worker; print(*sorted(w.name for w in Worker.objects.all()))"
    assert manage(here, "shell", "--no-imports", "--command", names) == "worker-1 worker-2"


def test_the_broker_turns_away_who_has_no_password(here: Production) -> None:
    answer = subprocess.run(
        ["redis-cli", "-p", here.redis_port, "ping"], stdout=subprocess.PIPE, text=True, check=False
    )
    assert "NOAUTH" in answer.stdout


def test_artifacts_lie_in_the_volume_and_nowhere_in_the_repository(here: Production) -> None:
    assert (here.folder / "volumes" / "platform" / "artifacts").is_dir()


def test_a_trained_model_is_asked_through_redis(api: httpx.Client, here: Production, model: str) -> None:
    """The engine's host is connected to whichever web process; questions and answers meet in Redis."""
    rows = b"\n".join(map(orjson.dumps, ROWS))
    file = api.post("/v1/files", files={"file": ("chat.jsonl", rows)}, data={"purpose": "fine-tune"}).json()
    method = {"type": "full", "full": {"hyperparameters": SMALL}}
    job = carried_out(api, here, {"model": model, "training_file": file["id"], "method": method})
    question = {"model": job["fine_tuned_model"], "messages": QUESTIONS[0]["messages"], "max_tokens": 3}
    answer = api.post("/v1/chat/completions", json=question, timeout=60)
    assert answer.status_code == 200, f"{answer.text}\n{here.log_of('engine').read_text()}"
    assert answer.json()["choices"][0]["finish_reason"] in ("stop", "length")
    assert answer.json()["usage"]["completion_tokens"] <= 3
