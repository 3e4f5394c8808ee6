"""Models that score instead of writing: what the platform knows of them."""

from typing import Any

from django.test import Client
from django.urls import reverse

from contracts.event import Finished
from tests.whetstone.factories import make_draft, make_job, make_model, make_team, make_user
from tests.whetstone.test_claim_and_record import claimed, now, reports, stored
from whetstone.jobs.check import check
from whetstone.jobs.record import record
from whetstone.modelhub.models import Model


def make_reward_model(name: str = "taste") -> Model:
    model = make_model(name)
    model.task = Model.Task.REWARD
    model.save(update_fields=["task"])
    return model


def problems(method: dict[str, Any]) -> list[str]:
    return [one.code for one in check(make_team(), make_draft(model="taste", method=method)).problems]


def test_a_job_that_trains_a_reward_model_leaves_one_in_the_hub() -> None:
    job = make_job()
    files = (stored("config.json", b"{}"), stored("model.safetensors", b"weights"))
    end = Finished(step=5, files=files, parameters=7, trained_tokens=99, task="reward")
    record(job.id, claimed().token, reports(end))
    trained = now(job).trained
    assert trained is not None
    assert trained.task == "reward"
    assert trained.ref().task == "reward"


def test_a_reward_model_can_be_trained_further_and_nothing_else_starts_from_it() -> None:
    make_job()
    make_reward_model()
    assert "model.is_reward_model" not in problems({"type": "reward_model"})
    for method in ("full", "lora", "dpo", "kto", "supervised"):
        assert "model.is_reward_model" in problems({"type": method})


def test_pages_say_which_models_score() -> None:
    make_model()
    taste = make_reward_model()
    browser = Client()
    browser.force_login(make_user())
    page = browser.get(reverse("models")).content.decode()
    assert [page.count(f"<dd>{word}</dd>") for word in ("Text", "Reward")] == [1, 1]
    assert "<dd>Reward</dd>" in browser.get(reverse("model", args=[taste.pk])).content.decode()


def test_an_evaluator_cannot_ask_a_model_that_writes() -> None:
    make_job()
    make_model("writer")
    grader = {"type": "reward_model", "name": "taste", "model": "writer"}
    found = check(make_team(), make_draft(method={"type": "grpo", "grpo": {"grader": grader}})).problems
    assert [one.code for one in found] == ["evaluator.not_a_reward_model"]
