"""A model of the platform judges: no key is pasted, and the pass that stands in for one is good for nothing else."""

import time
from typing import Any

import pytest
from django.core import signing
from pytest_django import Settings

from tests.judges import judgement, last_words, serving
from tests.whetstone.factories import make_job, make_model, make_team
from tests.whetstone.pages import browser
from whetstone.accounts.passes import PREFIX, SALT, TRIAL_S, issue
from whetstone.evaluators.judges import reach_of
from whetstone.jobs.claim import claim
from whetstone.jobs.models import Job

ASK = [{"role": "user", "content": "{{ sample.output_text }}"}]
JUDGED = {"type": "score_model", "name": "quality", "model": "home", "input": ASK}
QUESTION = {"model": "tiny", "messages": [{"role": "user", "content": "?"}]}


@pytest.fixture
def ada() -> Any:
    client = browser()
    made = client.post("/api/v1/judges", {"name": "home", "model": "tiny"}, content_type="application/json")
    assert made.status_code == 200, made.content
    assert made.json()["base_url"] == ""
    return client


def asked(token: str, path: str = "/v1/chat/completions", **more: Any) -> Any:
    headers = {"authorization": f"Bearer {token}"}
    found = browser().post(path, QUESTION | more, content_type="application/json", headers=headers)
    return found.status_code, found.json()["error"]["code"]


def test_a_trial_asks_the_platform_itself(ada: Any, settings: Settings) -> None:
    with serving(lambda _: judgement(0.25)) as server:
        settings.ENVIRONMENT = settings.ENVIRONMENT.model_copy(update={"public_url": server.url})
        body: dict[str, Any] = {"grader": JUDGED, "samples": [{"output_text": "x"}]}
        (one,) = ada.post("/api/v1/graders/try", body, content_type="application/json").json()["grades"]
        outside = {"type": "endpoint", "name": "e", "url": f"{server.url}/v1/jobs"}
        (other,) = ada.post("/api/v1/graders/try", body | {"grader": outside}, content_type="application/json").json()[
            "grades"
        ]
    assert one["grade"]["score"] == 0.25
    assert "no public address" in str(other["grade"]["errors"]), "an endpoint grader gets no way in by that"
    (request,) = server.asked
    assert request.headers["authorization"].startswith(f"Bearer {PREFIX}")
    assert request.body["model"] == "tiny"
    assert '"result"' in last_words(request), "what the engine holds the answer to is also said in words"
    assert request.body["response_format"]["json_schema"]["strict"] is False


def test_a_pass_asks_its_models_and_does_nothing_else() -> None:
    make_model()
    token = issue(make_team(), {"tiny"})
    assert asked(token) == (400, "deployment.no_weights"), "it is let in as far as the model"
    assert asked(token, model="other") == (401, "auth.invalid")
    assert asked(token, "/v1/completions")[1] == "auth.invalid"
    assert asked(token, "/api/v1/judges")[1] == "auth.invalid"
    forged = PREFIX + signing.dumps({"team": make_team().pk, "models": ["tiny"], "attempt": None}, key="x", salt=SALT)
    assert asked(forged) == (401, "auth.invalid")


def test_a_trials_pass_is_good_for_minutes(monkeypatch: pytest.MonkeyPatch) -> None:
    make_model()
    token = issue(make_team(), {"tiny"})
    later = time.time() + TRIAL_S + 60
    monkeypatch.setattr("time.time", lambda: later)
    assert asked(token) == (401, "auth.invalid")


def test_a_jobs_pass_is_good_while_its_attempt_holds_the_job(ada: Any) -> None:
    job = make_job(method={"type": "grpo", "grpo": {"grader": JUDGED}})
    claimed = claim("w1", "cpu")
    assert claimed is not None
    attempt = job.attempts.get()
    (judge,) = reach_of(job.team, Job.objects.get().job_spec.grader, "", attempt.pk).judges  # type: ignore[arg-type]  # it has one
    assert (judge.is_here, judge.base_url, judge.at("https://here/").base_url) == (True, "", "https://here/v1")
    assert asked(judge.key)[1] == "deployment.no_weights"
    Job.objects.update(status="succeeded")
    assert asked(judge.key) == (401, "auth.invalid")
