"""Reward models that an evaluator asks: from the draft to the claim, and what holds them fast meanwhile."""

import hashlib
from typing import Any

import pytest
from django.db.models import ProtectedError
from django.test import Client

from contracts.fault import Fault
from graders import parse
from tests.whetstone.factories import (
    EXACT,
    PROMPTS,
    make_dataset,
    make_draft,
    make_job,
    make_key,
    make_model,
    make_team,
    make_user,
)
from whetstone.artifacts.store import put_bytes
from whetstone.evaluators.save import save_evaluator
from whetstone.jobs.check import check
from whetstone.jobs.claim import claim
from whetstone.jobs.models import Job
from whetstone.jobs.retention import contents_needed
from whetstone.modelhub.models import Model
from whetstone.starter import model as starter

TASTE = {"type": "reward_model", "name": "taste", "model": "taste"}
BOTH = {"type": "multi", "graders": {"right": EXACT, "taste": TASTE}, "calculate_output": "right + taste"}


def make_scorer(name: str = "taste") -> Model:
    model = make_model(name)
    content = b"weights of " + name.encode()
    put_bytes(make_team(), content)
    ref = {"path": "model.safetensors", "sha256": hashlib.sha256(content).hexdigest(), "size": len(content)}
    Model.objects.filter(id=model.id).update(files=[ref], task=Model.Task.REWARD)
    return Model.objects.get(id=model.id)


def of(grader: object, method: str = "grpo", **block: Any) -> dict[str, Any]:
    return {"method": {"type": method, method: {"grader": grader} | block}}


def problems(**fields: Any) -> list[tuple[str, str | None]]:
    make_model()
    make_dataset(PROMPTS)
    return [(one.code, one.field) for one in check(make_team(), make_draft(**fields)).problems]


def test_a_job_is_given_the_reward_models_that_its_grader_asks() -> None:
    scorer = make_scorer()
    job = make_job(**of(BOTH))
    claimed = claim("w1", "cpu")
    assert claimed
    assert claimed.spec.scorers == (scorer.ref(),)
    assert list(job.scorers.all()) == [scorer]


@pytest.mark.parametrize("method", ["ppo", "rloo", "grpo", "reinforcement"])
def test_every_method_that_samples_can_learn_from_one(method: str) -> None:
    make_scorer()
    assert problems(**of(TASTE, method)) == []


def test_a_reward_model_that_is_not_here_is_named_with_its_place() -> None:
    inner = {"type": "multi", "graders": {"a": TASTE, "b": TASTE | {"model": "other"}}, "calculate_output": "a + b"}
    found = problems(**of({"type": "multi", "graders": {"x": EXACT, "y": inner}, "calculate_output": "x + y"}))
    assert found == [
        ("evaluator.model_missing", "method.grpo.grader.graders.y.graders.a.model"),
        ("evaluator.model_missing", "method.grpo.grader.graders.y.graders.b.model"),
    ]


def test_a_reward_model_that_is_asked_needs_memory_too() -> None:
    scorer = make_scorer()
    make_model()
    make_dataset(PROMPTS)
    Model.objects.update(config=starter.CONFIG, parameters=1_000_000)
    Model.objects.filter(id=scorer.id).update(parameters=2_000_000_000)
    alone, beside = (check(make_team(), make_draft(**of(grader))).place for grader in (EXACT, BOTH))
    assert alone
    assert beside
    assert alone.memory_gb
    assert beside.memory_gb
    assert 7.9 < beside.memory_gb - alone.memory_gb < 9, "four bytes a parameter, and what a pass through it takes"


def test_a_saved_evaluator_that_asks_for_a_lost_model_is_named_itself() -> None:
    scorer = make_scorer()
    save_evaluator(make_user(), make_team(), "taste", parse(TASTE))
    scorer.delete()
    block = {"type": "grpo", "grpo": {"evaluator": "taste@1"}}
    assert problems(method=block) == [("evaluator.model_missing", "method.grpo.evaluator")]


def test_another_teams_reward_model_is_none_of_ours() -> None:
    make_model("taste", user=make_user("bob"))
    assert problems(**of(TASTE)) == [("evaluator.model_missing", "method.grpo.grader.model")]


def test_without_its_reward_model_no_job_begins() -> None:
    with pytest.raises(Fault, match="there is no such model here") as caught:
        make_job(**of(TASTE))
    assert caught.value.report.next_step
    assert not Job.objects.exists()


def test_the_worker_may_read_it_with_the_attempts_token() -> None:
    scorer = make_scorer()
    job = make_job(**of(TASTE))
    claimed = claim("w1", "cpu")
    assert claimed
    worker = Client(headers={"authorization": f"Bearer {claimed.token}"})
    answer = worker.get(f"/api/worker/jobs/{job.id}/blobs/{scorer.manifest[0].sha256}")
    assert (answer.status_code, answer["Content-Length"]) == (200, str(len(b"weights of taste")))


def test_a_reward_model_that_a_job_asks_is_not_deleted() -> None:
    scorer = make_scorer()
    job = make_job(**of(TASTE))
    with pytest.raises(ProtectedError):
        scorer.delete()
    job.delete()
    scorer.delete()
    assert not Model.objects.filter(name="taste").exists()


def test_housekeeping_keeps_the_files_that_a_waiting_job_was_promised() -> None:
    scorer = make_scorer()
    needed = (make_team().id, scorer.manifest[0].sha256)
    make_job(**of(TASTE))
    Model.objects.filter(id=scorer.id).update(files=[])  # as if it had been replaced
    assert needed in contents_needed()
    Job.objects.update(status="succeeded")
    assert needed not in contents_needed()


def test_the_page_of_a_reward_model_lists_the_jobs_that_ask_it() -> None:
    scorer = make_scorer()
    job = make_job(**of(BOTH))
    page = Client()
    page.force_login(make_user())
    assert job.label in page.get(f"/models/{scorer.id}").content.decode()


def tried(**body: Any) -> list[dict[str, Any]]:
    http = Client(headers={"authorization": f"Bearer {make_key()}"})
    answer = http.post("/api/v1/graders/try", {"grader": BOTH} | body, content_type="application/json")
    assert answer.status_code == 200, answer.content
    grades: list[dict[str, Any]] = answer.json()["grades"]
    return grades


def test_a_trial_scores_the_other_parts_and_says_why_this_one_is_not() -> None:
    (one,) = tried(samples=[{"output_text": "4"}], items=[{"answer": "4"}])
    grade = one["grade"]
    assert (grade["score"], grade["sub"]["right"]["score"], grade["sub"]["taste"]["score"]) == (None, 1.0, None)
    said = grade["sub"]["taste"]["errors"]["model_grader_server_error_details"]
    assert said == (
        "The reward model “taste” is not deployed, so nothing is scored. "
        "Deploy it: http://127.0.0.1:8000/deployments/new?model=taste"
    )


def test_a_trial_on_rows_has_what_was_asked_beside_the_answer() -> None:
    version = make_dataset(PROMPTS)
    grader = {"type": "string_check", "input": "{{ sample.prompt[-1].content }}", "reference": "1+1=?"}
    grades = tried(grader=grader, dataset=version.id, limit=2)
    assert [one["grade"]["score"] for one in grades] == [0.0, 1.0]
    taste = tried(grader=TASTE, dataset=version.id, limit=1)[0]["grade"]
    assert list(taste["errors"]) == ["model_grader_server_error", "model_grader_server_error_details"]
