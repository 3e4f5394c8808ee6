"""Adapters of the hub become whole models: a job asks for it, and what comes of it enters the hub."""

import time

import pytest
from django.test import Client

from contracts.event import Finished, Report
from contracts.fault import Fault
from contracts.merging import MergeSpec
from tests.whetstone.factories import make_job, make_key, make_model, make_team, make_user
from tests.whetstone.pages import browser
from whetstone.artifacts.store import put_bytes
from whetstone.evaluations.overlap import trainings_of
from whetstone.jobs.claim import claim
from whetstone.jobs.discard import delete_model
from whetstone.jobs.merge import merge
from whetstone.jobs.models import Job, KeptCheckpoint
from whetstone.jobs.provenance import Origin, facts_of, origin_of
from whetstone.jobs.record import record
from whetstone.modelhub.models import Model

pytestmark = pytest.mark.django_db
MERGES = "/api/v1/merges"


def make_adapter(name: str = "org/taste") -> Model:
    base, team = make_model(), make_team()
    files = [put_bytes(team, text).ref(path) for text, path in ((b"{}", "config.json"), (b"w", "model.safetensors"))]
    base.files = [file.model_dump(mode="json") for file in files]
    base.save()
    own = put_bytes(team, b"a").ref("adapter_model.safetensors").model_dump(mode="json")
    about = {"origin": "imported", "parameters": 7, "created_by": make_user()}
    return Model.objects.create(team=team, name=name, base=base, files=[own], **about)


def carried_out(job: Job) -> Job:
    """As a worker would."""
    claimed = claim("w1", "cpu")
    assert claimed is not None
    assert isinstance(claimed.spec, MergeSpec)
    assert {file.path for file in claimed.spec.files} == {
        "config.json",
        "model.safetensors",
        "adapter_model.safetensors",
    }
    files = (put_bytes(job.team, b"m").ref("model.safetensors"),)
    end = Finished(step=1, files=files, parameters=7, trained_tokens=0)
    record(job.id, claimed.token, (Report(seq=1, at=time.time(), event=end),))
    return Job.objects.select_related("trained").get(id=job.id)


def test_a_merged_adapter_is_a_model_of_its_own() -> None:
    adapter = make_adapter()
    job = merge(make_user(), adapter)
    assert merge(make_user(), adapter) == job  # asked for twice while it waits
    done = carried_out(job)
    assert done.status == "succeeded"
    assert done.trained is not None
    assert (done.trained.name, done.trained.base, done.trained.is_adapter) == ("org/taste-merged", adapter, False)
    with pytest.raises(Fault, match="already"):
        merge(make_user(), adapter)
    assert merge(make_user(), adapter, "another").draft["name"] == "another"


def test_a_name_that_was_taken_meanwhile_gets_a_number_of_its_job() -> None:
    job = merge(make_user(), make_adapter())
    make_model("org/taste-merged")
    done = carried_out(job)
    assert done.trained is not None
    assert done.trained.name == f"org/taste-merged-{job.id[-8:]}"


def test_a_kept_checkpoint_is_merged_under_a_name_that_no_person_would_give() -> None:
    done = carried_out(merge(make_user(), make_adapter("ft:tiny:team-1:sums:AbCd1234:ckpt-step-40")))
    assert done.trained is not None
    assert done.trained.name == "ft:tiny:team-1:sums:AbCd1234:ckpt-step-40-merged"
    with pytest.raises(Fault, match="no name"):
        merge(make_user(), make_adapter("other"), "ft:mine")


def test_what_was_merged_does_not_hold_its_adapter_fast() -> None:
    adapter = make_adapter()
    done = carried_out(merge(make_user(), adapter))
    waiting = merge(make_user(), adapter, "later")
    with pytest.raises(Fault, match=waiting.id):
        delete_model(make_user(), adapter)
    Job.objects.filter(id=waiting.id).update(status="cancelled")
    delete_model(make_user(), adapter)
    assert done.trained is not None
    assert Model.objects.filter(name=done.trained.name).exists()


def test_a_merged_model_comes_from_the_job_that_its_adapter_comes_from() -> None:
    training, adapter = make_job(), make_adapter()
    Job.objects.filter(id=training.id).update(status="succeeded")
    KeptCheckpoint.objects.create(job=training, step=40, model=adapter)
    merged = carried_out(merge(make_user(), adapter)).trained
    assert merged is not None
    assert origin_of(merged) == Origin(training, 40)
    assert trainings_of(merged) == [training]
    assert facts_of(merged)["Training data"] == f"sums@1 ({training.training_id})"
    page = browser().get(f"/models/{merged.pk}").content.decode()
    assert f"/jobs/new?from={training.id}" in page
    assert "merge-" not in page


def test_a_merged_model_whose_adapter_was_brought_comes_from_no_job() -> None:
    merged = carried_out(merge(make_user(), make_adapter())).trained
    assert merged is not None
    assert (origin_of(merged), trainings_of(merged)) == (None, [])
    assert "Reproduce this job" not in browser().get(f"/models/{merged.pk}").content.decode()


def test_a_merge_is_asked_for_over_rest_and_on_the_page() -> None:
    adapter = make_adapter()
    http = Client(headers={"authorization": f"Bearer {make_key()}"})
    made = http.post(MERGES, {"adapter": "org/taste", "name": "mine"}, content_type="application/json").json()
    assert (made["status"], made["model"], made["adapter"], made["error"]) == ("queued", "mine", "org/taste", None)
    assert http.get(f"/api/v1/merges/{made['id']}").json() == made
    assert http.get("/v1/fine_tuning/jobs").json()["data"] == []
    assert http.post(f"/api/v1/merges/{made['id']}/cancel").json()["status"] == "cancelled"
    whole = http.post(MERGES, {"adapter": "tiny"}, content_type="application/json").json()
    assert whole["error"]["code"] == "adapter.is_whole"
    other = Client(headers={"authorization": f"Bearer {make_key(make_user('eve'))}"})
    assert other.get(f"/api/v1/merges/{made['id']}").status_code == 404

    person = browser()
    assert person.post(f"/models/{adapter.pk}/merge").status_code == 302
    page = person.get(f"/models/{adapter.pk}").content.decode()
    assert "org/taste-merged" in page
    assert 'data-status="queued"' in page
    assert "merge-" not in person.get("/jobs").content.decode()
    shown = person.get(f"/jobs/{made['id']}")
    assert (shown.status_code, shown["location"]) == (302, f"/models/{adapter.pk}")
