"""Models and checkpoints by the names that OpenAI's API gives them: looked at, begun with, shared and deleted."""

from typing import Any

import pytest
from django.test import Client

from contracts.event import CheckpointSaved, Finished
from contracts.job import FileRef
from tests.whetstone.factories import EXACT, make_job, make_key, make_model, make_team, make_user
from tests.whetstone.test_claim_and_record import claimed, metrics, reports, stored
from whetstone.accounts.models import Membership, Team
from whetstone.jobs.models import CheckpointPermission, Job
from whetstone.jobs.record import record
from whetstone.modelhub.models import Model
from whetstone.operations.doctor import examine

JSON = "application/json"
SUMS: dict[str, Any] = {"training_file": "sums", "method": {"type": "grpo", "grpo": {"grader": EXACT}}}


def client(name: str = "ada") -> Client:
    return Client(headers={"authorization": f"Bearer {make_key(make_user(name))}"}, raise_request_exception=False)


def job_with_checkpoint(*files: FileRef) -> Job:
    job = make_job(suffix="sums")
    weights = files or (stored("model.safetensors", b"weights"), stored("optimizer.pt", b"moments"))
    record(job.id, claimed().token, reports(*metrics(1, 2), CheckpointSaved(step=2, files=weights)))
    return Job.objects.get(id=job.id)


def finished() -> Job:
    job = make_job()
    done = Finished(step=1, files=(stored("model.safetensors", b"new"),), parameters=7, trained_tokens=9)
    record(job.id, claimed().token, reports(*metrics(1), done))
    return Job.objects.get(id=job.id)


def test_a_checkpoint_is_found_by_its_name() -> None:
    job, http = job_with_checkpoint(), client()
    (told,) = http.get(f"/v1/fine_tuning/jobs/{job.id}/checkpoints").json()["data"]
    name = told["fine_tuned_model_checkpoint"]
    assert name == f"ft:tiny:{job.team.slug}:sums:{job.id[-8:]}:ckpt-step-2"
    model = http.get(f"/v1/models/{name}").json()
    assert (model["id"], model["object"], model["owned_by"]) == (name, "model", job.team.slug)
    assert (model["job"], model["step"]) == (job.id, 2)
    assert not Model.objects.filter(name=name).exists(), "looking makes nothing"


@pytest.mark.parametrize("wrong", [":ckpt-step-3", ":ckpt-step-", ":ckpt-step-٢", ":ckpt-step-99999999999", ":ckpt-2"])
def test_a_checkpoint_that_is_not_there_is_a_404(wrong: str) -> None:
    answer = client().get(f"/v1/models/{job_with_checkpoint().model_name}{wrong}")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "model.not_found")


def test_a_job_begins_with_a_checkpoint() -> None:
    job, http = job_with_checkpoint(), client()
    body = SUMS | {"model": job.checkpoint_name(2)}
    assert http.post("/api/v1/jobs/check", body, content_type=JSON).json()["ready"] is True
    assert not Model.objects.filter(name=job.checkpoint_name(2)).exists(), "a check makes nothing"
    answer = http.post("/v1/fine_tuning/jobs", body, content_type=JSON)
    assert answer.status_code == 200, answer.content
    assert answer.json()["model"] == job.checkpoint_name(2)
    begun = Job.objects.get(id=answer.json()["id"])
    assert [file.path for file in begun.job_spec.model.files] == ["model.safetensors"]
    assert http.get(f"/v1/models/{job.checkpoint_name(2)}").json()["id"] == job.checkpoint_name(2)
    assert http.post("/v1/fine_tuning/jobs", body, content_type=JSON).status_code == 200, "a second one, too"


def test_a_checkpoint_with_an_adapter_alone_cannot_be_begun_with() -> None:
    job = job_with_checkpoint(stored("adapter_model.safetensors", b"adapter"), stored("adapter_config.json", b"{}"))
    answer = client().post("/v1/fine_tuning/jobs", SUMS | {"model": job.checkpoint_name(2)}, content_type=JSON)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "checkpoint.is_adapter")
    assert answer.json()["error"]["param"] == "model"


def test_a_model_that_a_job_refers_to_is_not_deleted() -> None:
    job = make_job()
    answer = client().delete("/v1/models/tiny")
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "model.in_use")
    assert job.id in answer.json()["error"]["message"]
    assert Model.objects.filter(name="tiny").exists()


@pytest.mark.django_db(transaction=True)
def test_a_trained_model_is_deleted_and_its_job_says_so() -> None:
    job, http = finished(), client()
    assert job.trained
    name = job.trained.name
    assert http.delete(f"/v1/models/{name}").json() == {"id": name, "object": "model", "deleted": True}
    assert http.get(f"/v1/models/{name}").status_code == 404
    assert http.get(f"/v1/fine_tuning/jobs/{job.id}").json()["fine_tuned_model"] is None
    newest = http.get(f"/v1/fine_tuning/jobs/{job.id}/events?limit=1").json()["data"][0]
    assert newest["message"] == f"ada deleted the model {name}."
    kinds = {finding.kind for finding in examine().findings}
    assert "succeeded without model" not in kinds, "nothing was lost"


def test_another_team_s_model_is_not_deleted() -> None:
    make_model("spare")
    assert client("eve").delete("/v1/models/spare").status_code == 404
    assert client().delete("/v1/models/spare").json()["deleted"]


def second_team(of: str, member: str) -> Team:
    """A team of its own for `member`, which `of` has joined, too."""
    team = make_team(make_user(member))
    make_team(make_user(of))
    Membership.objects.get_or_create(team=team, user=make_user(of))
    return team


def test_a_checkpoint_is_shown_to_a_team_that_was_permitted() -> None:
    job, http, eve = job_with_checkpoint(), client(), client("eve")
    team, name = second_team("ada", "eve"), job.checkpoint_name(2)
    place = f"/v1/fine_tuning/checkpoints/{name}/permissions"
    assert eve.get(f"/v1/models/{name}").status_code == 404
    made = http.post(place, {"project_ids": [team.slug]}, content_type=JSON)
    assert made.status_code == 200, made.content
    (one,) = made.json()["data"]
    assert (one["object"], one["project_id"]) == ("checkpoint.permission", team.slug)
    assert one["id"].startswith("cp_")
    again = http.post(place, {"project_ids": [team.slug]}, content_type=JSON).json()["data"]
    assert again == [one]
    listed = http.get(place).json()
    assert (listed["data"], listed["has_more"], listed["last_id"]) == ([one], False, one["id"])
    assert http.get(f"{place}?project_id=nobody&order=ascending").json()["data"] == []
    assert eve.get(f"/v1/models/{name}").json()["owned_by"] == job.team.slug
    begin = eve.post("/v1/fine_tuning/jobs", SUMS | {"model": name}, content_type=JSON)
    assert begin.json()["error"]["code"] == "model.not_found", "to see is not to use"
    assert http.delete(f"{place}/{one['id']}").json()["deleted"]
    assert eve.get(f"/v1/models/{name}").status_code == 404
    assert http.delete(f"{place}/{one['id']}").status_code == 404


def test_nothing_is_shared_with_a_team_one_is_not_in() -> None:
    job, stranger = job_with_checkpoint(), make_team(make_user("eve"))
    place = f"/v1/fine_tuning/checkpoints/{job.checkpoint_name(2)}/permissions"
    answer = client().post(place, {"project_ids": [stranger.slug]}, content_type=JSON)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "team.not_found")
    assert client("eve").post(place, {"project_ids": [stranger.slug]}, content_type=JSON).status_code == 404
    assert not CheckpointPermission.objects.exists()
