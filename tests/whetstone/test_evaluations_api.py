"""Evaluations over REST: begun once, resumed where they stood, refused with a sentence, and never a fine-tuning job."""

from typing import Any

import pytest
from django.test import Client

from tests.whetstone.evaluations import batch, carry_out, evaluated, make_evaluation, reports
from tests.whetstone.factories import (
    EXACT,
    PROMPTS,
    let_lease_run_out,
    make_dataset,
    make_key,
    make_model,
    make_team,
    make_user,
    make_worker,
)
from whetstone.evaluations.models import Evaluation
from whetstone.jobs.claim import claim
from whetstone.jobs.discard import delete_model
from whetstone.jobs.models import Job
from whetstone.jobs.record import record
from whetstone.jobs.retention import contents_needed
from whetstone.modelhub.models import Model
from whetstone.operations.doctor_of_events import missing_events, missing_steps
from whetstone.operations.doctor_of_jobs import jobs_without_model
from whetstone.webhooks.notice import notice

JSON = "application/json"
PATH = "/api/v1/evaluations"
BODY: dict[str, Any] = {"model": "tiny", "dataset": "sums", "grader": EXACT}


def caller(name: str = "ada") -> Client:
    key = make_key(make_user(name))
    return Client(headers={"authorization": f"Bearer {key}"}, raise_request_exception=False)


@pytest.fixture
def http() -> Client:
    make_model()
    make_model("tuned")
    make_dataset()
    return caller()


def post(http: Client, status: int = 200, path: str = "", **fields: Any) -> Any:
    answer = http.post(PATH + path, BODY | fields, content_type=JSON)
    assert answer.status_code == status, answer.content
    return answer.json()


def get(http: Client, path: str, status: int = 200) -> Any:
    answer = http.get(f"{PATH}{path}")
    assert answer.status_code == status, answer.content
    return answer.json()


def test_two_models_are_evaluated_once_and_compared(http: Client) -> None:
    made = post(http, model="tuned", baseline="tiny", settings={"limit": 6, "batch_size": 2})
    assert made["reused"] == []
    assert made["evaluation"]["settings"] | {"rows": 6, "temperature": None} == made["evaluation"]["settings"]
    assert made["evaluation"]["total_steps"] == 3
    for one, scores in (("evaluation", [[1.0]] * 6), ("baseline", [[0.0]] * 6)):
        carry_out(Job.objects.get(id=made[one]["id"]), scores, text="<script>alert(1)</script>")

    again = post(http, model="tuned", baseline="tiny", settings={"limit": 6, "batch_size": 2})
    assert again["reused"] == [made["evaluation"]["id"], made["baseline"]["id"]]
    assert again["evaluation"]["status"] == "succeeded"
    assert post(http, 200, "/check", settings={"limit": 6})["same"] == made["baseline"]["id"]
    assert post(http, anew=True, settings={"limit": 6})["reused"] == []

    card = get(http, f"/compare?candidate={made['evaluation']['id']}&baseline={made['baseline']['id']}")
    assert (card["verdict"], card["wins"], card["losses"], card["ties"]) == ("ship", 6, 0, 0)
    assert card["improved"][0]["candidate_answers"][0]["completion"].startswith("<script>")
    bad = get(http, f"/compare?candidate={made['evaluation']['id']}&baseline=eval-x", 400)
    assert bad["error"]["code"] == "evaluation.not_found"
    asked = get(http, f"/compare?candidate={made['evaluation']['id']}&baseline={made['baseline']['id']}&require=x", 400)
    assert asked["error"]["code"] == "evaluation.bad_requirement"
    rows = get(http, f"/{made['evaluation']['id']}/rows?order=worst&limit=2")
    assert (rows["total"], rows["rows"][0]["item"]) == (6, {"answer": PROMPTS[0]["answer"]})
    listed = get(http, "?dataset=sums@1&limit=2")
    assert ([one["model"] for one in listed["data"]], listed["has_more"]) == (["tiny", "tiny"], True)
    older = get(http, f"?limit=2&after={listed['last_id']}")
    assert [one["model"] for one in older["data"]] == ["tuned"]


def test_an_attempt_goes_on_after_the_last_step_that_is_stored() -> None:
    job = make_evaluation(settings={"batch_size": 2, "limit": 8}).job
    token = carry_out(job, [[1.0]] * 8, upto=2)
    scores_alone = batch(job, 3, {4: [1.0], 5: [0.0]})[:2]
    record(job.id, token, reports(*scores_alone, first=7))
    let_lease_run_out(job)
    assert Job.objects.get(id=job.id).status == "queued"

    carry_out(job, [[0.0]] * 4 + [[1.0]] * 4)  # were the first two steps done again, they would be wrong
    now = Evaluation.objects.get(job=job)
    assert now.job.attempts.count() == 2
    assert [a.from_step for a in now.job.attempts.all()] == [0, 2]
    assert get(caller(), f"/{job.id}")["numbers"]["measures"][0]["value"] == 1.0
    assert [*missing_steps(), *missing_events(), *jobs_without_model()] == []


def test_evaluations_are_in_no_list_of_fine_tuning_jobs(http: Client) -> None:
    done = evaluated([[1.0]] * 4)
    assert http.get("/v1/fine_tuning/jobs").json()["data"] == []
    assert http.get(f"/v1/fine_tuning/jobs/{done.pk}").status_code == 404
    assert http.post(f"/v1/fine_tuning/jobs/{done.pk}/cancel").status_code == 404
    assert http.get(f"/api/v1/jobs/{done.pk}/evaluations").status_code == 404
    assert http.get(f"/api/v1/jobs/{done.pk}/rollouts").json()["total"] == 4
    assert http.get(f"/api/v1/jobs/{done.pk}/series").json()["steps_total"] == 2
    assert not hasattr(done.job, "result_file")
    assert "purpose" not in str(http.get("/v1/files?purpose=fine-tune-results").json()["data"])
    make_worker()
    assert http.get("/api/v1/workers").status_code == 200
    notice()
    waiting = make_evaluation(model="tuned")
    assert (waiting.job.team_id, waiting.job.job_spec.files[0].sha256) in contents_needed()


def test_other_teams_see_nothing_and_a_model_in_use_is_not_deleted(http: Client) -> None:
    one = make_evaluation()
    other = caller("bob")
    for path in (f"/{one.pk}", f"/{one.pk}/rows"):
        assert get(other, path, 404)["error"]["code"] == "evaluation.not_found"
    assert other.post(f"{PATH}/{one.pk}/cancel").status_code == 404
    assert get(other, "")["data"] == []
    with pytest.raises(Exception, match=one.pk):
        delete_model(make_user(), Model.objects.get(team=make_team(), name="tiny"))
    assert http.post(f"{PATH}/{one.pk}/pause").json()["status"] == "paused"
    assert http.post(f"{PATH}/{one.pk}/resume").json()["status"] == "queued"
    assert http.post(f"{PATH}/{one.pk}/cancel").json()["status"] == "cancelled"
    assert claim("w1", "cpu") is None
    half = get(http, f"/compare?candidate={one.pk}&baseline={one.pk}", 400)
    assert half["error"]["code"] == "evaluation.not_finished"


@pytest.mark.parametrize(
    ("fields", "code", "field"),
    [
        ({"model": "nobody"}, "model.not_found", "model"),
        ({"baseline": "nobody"}, "model.not_found", "baseline"),
        ({"dataset": "nothing"}, "dataset.not_found", "dataset"),
        ({"grader": None}, "evaluation.no_evaluator", "evaluator"),
        ({"grader": None, "evaluator": "math"}, "evaluator.not_found", "evaluator"),
        ({"grader": EXACT | {"reference": "{{ item.gold }}"}}, "evaluator.column_missing", "grader"),
        ({"settings": {"max_completion_length": 128}}, "evaluation.no_room", "settings.max_completion_length"),
        ({"settings": {"samples": 0}}, "greater_than_equal", "settings.samples"),
        ({"settings": {"samples": 4, "temperature": 0}}, "value_error", "settings"),
        ({"settings": {"limit": 0}}, "greater_than_equal", "settings.limit"),
        ({"resources": {"pool": "moon"}}, "pool.not_found", "resources.pool"),
    ],
)
def test_what_cannot_be_evaluated_is_refused_with_a_sentence(
    http: Client, fields: dict[str, Any], code: str, field: str
) -> None:
    answer = http.post(PATH, BODY | fields, content_type=JSON)
    assert answer.status_code in (400, 404, 422)
    error = answer.json()["error"]
    assert (error["code"], error["param"]) == (code, field)
    assert Evaluation.objects.count() == 0


def test_a_reward_model_and_an_unmapped_dataset_are_refused(http: Client) -> None:
    Model.objects.filter(name="tiny").update(task="reward")
    assert post(http, 400)["error"]["code"] == "evaluation.reward_model"
    unmapped = make_dataset([{"a": 1, "b": 2}], "odd")
    assert unmapped.shape == ""
    assert post(http, 400, model="tuned", dataset="odd")["error"]["code"] == "dataset.not_mapped"
