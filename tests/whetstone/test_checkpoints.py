"""Checkpoints as scripts and pages see them, and models made of them."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from openai.types.fine_tuning.jobs import FineTuningJobCheckpoint

from contracts.event import CheckpointSaved, Claim, Evaluation, Finished, Metrics, WorkerEvent
from contracts.fault import FaultReport
from tests.whetstone.factories import make_dataset, make_draft, make_job, make_key, make_team, make_user
from tests.whetstone.test_claim_and_record import claimed, now, reports
from whetstone.artifacts.models import Blob
from whetstone.artifacts.store import put_bytes
from whetstone.jobs.launch import launch
from whetstone.jobs.models import Job
from whetstone.jobs.record import record
from whetstone.jobs.retention import forget_checkpoints, sweep
from whetstone.modelhub.models import Model

MODEL = ("config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json", "chat_template.jinja")
WEIGHTS = ("model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors", "model.safetensors.index.json")
STATE = ("optimizer.pt", "scheduler.pt", "rng_state.pth", "trainer_state.json", "manifest.json")
CRITIC = ("critic.safetensors", "critic.json")
ADAPTER = ("adapter_config.json", "adapter_model.safetensors")


def saved(step: int, *names: str) -> CheckpointSaved:
    def content(name: str) -> bytes:
        return b'{"model_type": "qwen2"}' if name.endswith(".json") else f"{name} of {step}".encode()

    return CheckpointSaved(step=step, files=tuple(put_bytes(make_team(), content(name)).ref(name) for name in names))


def job_with(*names: str, method: str = "grpo", scores: tuple[float, ...] = (0.9, 0.2)) -> tuple[Job, Claim]:
    """A job that runs, with a checkpoint of these files at each step, each evaluated."""
    job = make_job()
    Job.objects.filter(id=job.id).update(method=method)
    claim = claimed()
    events: list[WorkerEvent] = []
    for step, score in enumerate(scores, start=1):
        values = {"reward_mean": score, "loss": 1.5, "token_accuracy": 0.5}
        trained = {"reward": 0.1, "loss": 0.3}
        events += [Metrics(step=step, values=trained), Evaluation(step=step, values=values), saved(step, *names)]
    record(job.id, claim.token, reports(*events))
    return now(job), claim


def full_job() -> tuple[Job, Claim]:
    return job_with(*MODEL, *WEIGHTS, *STATE, *CRITIC)


def api() -> Client:
    return Client(headers={"authorization": f"Bearer {make_key()}"})


def keep(job: Job, step: int) -> tuple[int, dict[str, Any]]:
    answer = api().post(f"/api/v1/jobs/{job.id}/checkpoints/{step}/model")
    return answer.status_code, answer.json()


def test_checkpoints_tell_the_held_out_numbers_in_openai_s_form() -> None:
    job, _ = full_job()
    answer = api().get(f"/v1/fine_tuning/jobs/{job.id}/checkpoints").json()
    assert [(one["step_number"], one["is_best"]) for one in answer["data"]] == [(2, False), (1, True)]
    read = FineTuningJobCheckpoint.model_validate(answer["data"][0], strict=True)
    assert (read.metrics.valid_loss, read.metrics.full_valid_loss, read.metrics.train_loss) == (1.5, 1.5, 0.3)
    assert (read.metrics.valid_mean_token_accuracy, read.metrics.full_valid_mean_token_accuracy) == (0.5, 0.5)
    assert answer["data"][0]["metrics"]["valid_reward_mean"] == 0.2
    assert answer["data"][0]["metrics"]["reward"] == 0.1


def test_checkpoints_are_paged() -> None:
    job, _ = full_job()
    first = api().get(f"/v1/fine_tuning/jobs/{job.id}/checkpoints?limit=1").json()
    assert (len(first["data"]), first["has_more"]) == (1, True)
    after = first["last_id"]
    second = api().get(f"/v1/fine_tuning/jobs/{job.id}/checkpoints?limit=1&after={after}").json()
    assert ([one["step_number"] for one in second["data"]], second["has_more"]) == ([1], False)


def test_a_checkpoint_becomes_a_model_without_the_state_of_its_training() -> None:
    job, _ = full_job()
    status, model = keep(job, 1)
    assert status == 200
    assert model["name"] == f"{job.model_name}:ckpt-step-1"
    assert {file["path"] for file in model["files"]} == {*MODEL, *WEIGHTS}
    assert (model["base"], model["job"], model["step"]) == ("tiny", job.id, 1)
    kept = Model.objects.get(name=model["name"])
    assert (kept.origin, kept.config, kept.parameters) == ("trained", {"model_type": "qwen2"}, 1_000_000)


def test_a_checkpoint_asked_for_twice_is_one_model() -> None:
    job, _ = full_job()
    assert keep(job, 1) == keep(job, 1)
    listed = api().get(f"/v1/fine_tuning/jobs/{job.id}/checkpoints").json()["data"]
    assert [one["model"] for one in listed] == [None, f"{job.model_name}:ckpt-step-1"]


def test_a_model_of_a_checkpoint_outlives_it() -> None:
    job, claim = full_job()
    _, model = keep(job, 2)
    better = [event for step in (3, 4, 5) for event in (Metrics(step=step, values={}), saved(step, *STATE))]
    record(job.id, claim.token, reports(*better, first=20))
    Blob.objects.update(created_at=timezone.now() - timedelta(days=2))
    forget_checkpoints()
    sweep()
    assert not job.events.filter(type="checkpoint", step=2).exists()
    held = set(Blob.objects.values_list("sha256", flat=True))
    assert {file["sha256"] for file in model["files"]} <= held


def test_a_job_starts_from_the_model_of_a_checkpoint() -> None:
    job, _ = full_job()
    _, model = keep(job, 1)
    make_dataset(name="more")
    second = launch(make_user(), make_team(), make_draft(model=model["name"], training_file="more"))
    given = second.job_spec.model
    assert {file.path for file in given.files} == {*MODEL, *WEIGHTS}
    assert second.model_name.startswith("ft:tiny:")


def test_an_adapter_is_not_made_a_model_and_the_answer_says_what_can_be_done() -> None:
    job, _ = job_with(*ADAPTER, "tokenizer.json", *STATE, method="lora")
    status, body = keep(job, 1)
    assert (status, body["error"]["code"]) == (400, "checkpoint.is_adapter")
    assert "Download the adapter" in body["error"]["next_step"]
    assert not Model.objects.filter(origin="trained").exists()


@pytest.mark.parametrize("step", [0, 7, 10**12])
def test_a_step_without_a_checkpoint_is_not_found(step: int) -> None:
    job, _ = full_job()
    status, body = keep(job, step)
    assert (status, body["error"]["code"]) == (404, "checkpoint.not_found")


def test_a_damaged_checkpoint_is_neither_kept_nor_offered() -> None:
    job, _ = full_job()
    fault = FaultReport(code="checkpoint.damaged", params={"step": 1, "detail": "torn"})
    job.attempts.update(from_step=1, fault=fault.model_dump(mode="json"))
    assert keep(job, 1)[0] == 404
    page = browser().get(reverse("job", args=[job.id])).content.decode()
    assert "damaged" in page
    assert reverse("checkpoint-keep", args=[job.id, 1]) not in page
    assert reverse("checkpoint-keep", args=[job.id, 2]) in page


def test_nobody_keeps_another_teams_checkpoint() -> None:
    job, _ = full_job()
    eve = make_user("eve")
    theirs = Client(headers={"authorization": f"Bearer {make_key(eve)}"})
    assert theirs.post(f"/api/v1/jobs/{job.id}/checkpoints/1/model").status_code == 404
    assert theirs.get(f"/api/v1/jobs/{job.id}/checkpoints/1/export").status_code == 404
    assert browser(eve).post(reverse("checkpoint-keep", args=[job.id, 1])).status_code == 404
    assert not Model.objects.filter(origin="trained").exists()


def browser(user: Any = None) -> Client:
    client = Client()
    client.force_login(user or make_user())
    return client


def test_a_reward_models_checkpoint_tells_its_pairs_as_the_headline_does() -> None:
    job, claim = job_with(*MODEL, method="reward_model", scores=())
    pairs = Evaluation(step=1, values={"pair_accuracy": 0.9417, "loss": 0.2})
    record(job.id, claim.token, reports(pairs, saved(1, *MODEL)))
    assert "Held-out right pairs 94.2%" in browser().get(reverse("job", args=[job.id])).content.decode()


def test_the_page_of_a_job_keeps_a_checkpoint_by_a_button() -> None:
    job, _ = full_job()
    client = browser()
    page = client.get(reverse("job", args=[job.id])).content.decode()
    assert "Held-out reward 0.900" in page
    assert page.index("newest") < page.index("Held-out reward 0.200") < page.index("best")
    answer = client.post(reverse("checkpoint-keep", args=[job.id, 1]), follow=True)
    kept = Model.objects.get(name=f"{job.model_name}:ckpt-step-1")
    assert answer.request["PATH_INFO"] == reverse("model", args=[kept.pk])
    shown = answer.content.decode()
    assert reverse("job", args=[job.id]) in shown
    assert "checkpoint of step 1" in shown
    assert reverse("model", args=[kept.pk]) in client.get(reverse("job", args=[job.id])).content.decode()


def test_the_page_of_a_job_offers_an_adapter_as_a_download() -> None:
    job, _ = job_with(*ADAPTER, *STATE, method="lora")
    page = browser().get(reverse("job", args=[job.id])).content.decode()
    assert f"/api/v1/jobs/{job.id}/checkpoints/1/export" in page
    assert "Keep as a model" not in page


def test_no_model_with_weights_that_can_carry_code_enters_the_hub() -> None:
    job, claim = full_job()
    harmful = put_bytes(make_team(), b"a pickle").ref("pytorch_model.bin")
    done = Finished(step=2, files=(harmful,), parameters=1, trained_tokens=1)
    worker = Client(headers={"authorization": f"Bearer {claim.token}"})
    body = {"reports": [report.model_dump(mode="json") for report in reports(done, first=20)]}
    answer = worker.post(f"/api/worker/jobs/{job.id}/events", body, content_type="application/json")
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "model.not_safetensors")
    assert "pytorch_model.bin" in answer.json()["error"]["message"]
    assert now(job).trained is None
