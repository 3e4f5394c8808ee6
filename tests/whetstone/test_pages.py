"""The pages: what they show, to whom, and in which language."""

import re
from pathlib import Path
from typing import Any, cast

import pytest
from django.test import Client
from django.urls import reverse

from contracts.event import Hello
from contracts.fault import FaultReport
from graders import parse
from tests.whetstone.factories import (
    EXACT,
    LABELLED,
    MACHINE,
    PAIRS,
    PROMPTS,
    jsonl,
    make_dataset,
    make_job,
    make_key,
    make_model,
    make_team,
    make_user,
)
from tests.whetstone.pages import browser, page_data
from whetstone.accounts.models import ApiKey
from whetstone.accounts.scope import team_of
from whetstone.datasets.models import DatasetVersion
from whetstone.evaluators.save import save_evaluator
from whetstone.jobs.models import Job
from whetstone.jobs.states import append, move
from whetstone.modelhub.models import Model
from whetstone.web.templatetags import whetstone as tags
from whetstone.workers.pools import welcome

TEMPLATES = Path(tags.__file__).parents[1] / "templates"


def fail(job: Job, code: str, evidence: str = "", **params: str | int) -> None:
    Job.objects.filter(id=job.id).update(status="running", lease_until="2030-01-01T00:00:00Z")
    job.refresh_from_db()
    move(job, "failed", reason=code, fault=FaultReport(code=code, params=params, evidence=evidence))


@pytest.mark.parametrize(
    "name",
    [
        "overview",
        "deployments",
        "deployment-new",
        "models",
        "datasets",
        "dataset-new",
        "evaluators",
        "evaluator-build",
        "jobs",
        "job-new",
        "workers",
        "settings",
    ],
)
def test_a_newcomer_sees_every_page_and_a_stranger_none(name: str) -> None:
    assert browser().get(reverse(name)).status_code == 200
    answer = Client().get(reverse(name))
    assert answer.status_code == 302
    assert answer["Location"].startswith(reverse("login"))


def test_the_overview_says_what_to_do_first_until_a_job_succeeded() -> None:
    page = browser().get("/").content.decode()
    assert "What to do first" in page
    job = make_job()
    Job.objects.filter(id=job.id).update(status="succeeded", finished_at=job.created_at)
    assert "What to do first" not in browser().get("/").content.decode()


def test_nobody_sees_another_teams_things() -> None:
    job = make_job()
    save_evaluator(make_user(), make_team(), "math", parse(EXACT))
    dataset = DatasetVersion.objects.get()
    eve = browser(make_user("eve"))
    for address in (
        reverse("job", args=[job.id]),
        reverse("dataset", args=[dataset.id]),
        reverse("model", args=[job.base_id]),
        reverse("evaluator", args=["math"]),
    ):
        assert eve.get(address).status_code == 404
        assert browser().get(address).status_code == 200
    assert eve.post(reverse("job-cancel", args=[job.id])).status_code == 404
    assert eve.post(reverse("dataset-delete", args=[dataset.id])).status_code == 404
    assert "math" not in eve.get(reverse("evaluators")).content.decode()
    assert page_data(eve.get(f"{reverse('job-new')}?from={job.id}").content.decode(), "job-form-data")["draft"] == {
        "method": {"type": "grpo", "grpo": {}}
    }


def test_a_failed_job_shows_the_sentence_the_evidence_and_the_next_step() -> None:
    job = make_job()
    fail(job, "job.process_died", how="signal 9", evidence="<b>the last line</b>")
    page = browser().get(reverse("job", args=[job.id])).content.decode()
    assert "The training process ended before it was done (signal 9)." in page
    assert "clone the job" in page
    assert "&lt;b&gt;the last line&lt;/b&gt;" in page


def test_what_a_model_printed_is_text_and_never_markup() -> None:
    job = make_job()
    append(job, "log", {"text": "</pre><script>alert(1)</script>"})
    page = browser().get(reverse("job", args=[job.id])).content.decode()
    assert "<script>alert(1)" not in page


def test_a_queued_job_says_why_it_waits_and_is_cancelled_by_a_button() -> None:
    job = make_job()
    client = browser()
    assert "No worker of the pool" in client.get(reverse("job", args=[job.id])).content.decode()
    client.post(reverse("job-cancel", args=[job.id]))
    job.refresh_from_db()
    assert job.status == "cancelled"


def test_a_clone_holds_what_was_asked_for_and_no_defaults() -> None:
    method = {"type": "grpo", "grpo": {"grader": EXACT, "hyperparameters": {"max_steps": 3}}}
    job = make_job(method=method, suffix="first", seed=1)
    page = browser().get(f"{reverse('job-new')}?from={job.id}").content.decode()
    draft = page_data(page, "job-form-data")["draft"]
    assert draft["model"] == "tiny"
    assert "seed" not in draft
    assert "suffix" not in draft
    assert draft["method"]["grpo"]["hyperparameters"] == {"max_steps": 3}
    assert draft["method"]["grpo"]["grader"]["type"] == "string_check"


def test_a_clone_keeps_what_was_set_against_its_preset() -> None:
    changes = {"preset": "ppo_max", "reward_clip": None, "beta": 0, "max_steps": 3}
    job = make_job(method={"type": "ppo", "ppo": {"grader": EXACT, "hyperparameters": changes}})
    page = browser().get(f"{reverse('job-new')}?from={job.id}").content.decode()
    draft = page_data(page, "job-form-data")["draft"]
    assert draft["method"]["ppo"]["hyperparameters"] == changes


def test_the_forms_know_every_method_and_every_kind_of_grader() -> None:
    new_job = browser().get(reverse("job-new")).content.decode()
    methods = page_data(new_job, "job-form-data")["methods"]["discriminator"]["mapping"]
    assert set(methods) == {"full", "lora", "dpo", "kto", "reward_model", "ppo", "grpo", "rloo"}
    builder = browser().get(reverse("evaluator-build")).content.decode()
    kinds = page_data(builder, "builder-data")["schema"]["discriminator"]["mapping"]
    assert {"string_check", "text_similarity", "number", "regex", "multi"} <= set(kinds)


def test_the_form_knows_what_each_method_needs_and_what_does_not_serve_it() -> None:
    make_dataset(PAIRS)
    make_model()
    data = cast(dict[str, Any], page_data(browser().get(reverse("job-new")).content.decode(), "job-form-data"))
    assert data["rewards"] == {
        **dict.fromkeys(("ppo", "grpo", "rloo"), "needed"),
        **dict.fromkeys(("full", "lora", "dpo", "kto"), "optional"),
        "reward_model": "none",
    }
    assert data["unfit"]["preference"] == {}
    assert set(data["unfit"]["prompt"]) == {"full", "lora", "dpo", "kto", "reward_model"}
    assert set(data["unfit_held_out"]["prompt"]) == {"reward_model"}
    assert set(data["unfit_held_out"]["labelled"]) == {"full", "lora", "reward_model"}
    assert set(data["unfit"]["chat"]) == {"dpo", "kto", "reward_model"}
    assert set(data["unfit"][""]) == set(data["rewards"])
    assert data["datasets"][0]["shape"] == "preference"
    assert (data["models"][0]["task"], data["makes"]["dpo"], data["makes"]["reward_model"]) == (
        "text",
        "text",
        "reward",
    )


def test_a_dataset_shows_its_rows_and_which_methods_it_serves() -> None:
    version = make_dataset([{"question": "<i>1+1</i>", "n": n, "extra": {"a": [1]}} for n in range(25)])
    page = browser().get(reverse("dataset", args=[version.id])).content.decode()
    assert "&lt;i&gt;1+1&lt;/i&gt;" in page
    assert "{&quot;a&quot;:[1]}" in page
    assert "Its columns are not mapped yet." in page
    assert "21 to 25 of 25" in browser().get(f"{reverse('dataset', args=[version.id])}?offset=20").content.decode()
    assert page_data(page, "mapping-data")["columns"] == ["question", "n", "extra"]


def test_a_pair_is_read_side_by_side() -> None:
    version = make_dataset([*PAIRS, PAIRS[0] | {"chosen": "<b>two</b>", "rejected": "", "answer": [1]}])
    page = browser().get(reverse("dataset", args=[version.id])).content.decode()
    assert page.count('<div class="pair">') == 20
    last = browser().get(f"{reverse('dataset', args=[version.id])}?offset=20").content.decode()
    assert "&lt;b&gt;two&lt;/b&gt;" in last
    assert "<code>answer</code></dt><dd>[1]" in last
    assert "<code>chosen</code></dt>" not in last


def test_labels_are_counted_and_seen() -> None:
    version = make_dataset(LABELLED)
    page = browser().get(reverse("dataset", args=[version.id])).content.decode()
    assert page.count('<span class="badge good">good</span>') == 10
    assert page.count('<span class="badge bad">bad</span>') == 10
    assert "10 · 50%" in page


def test_a_split_is_made_by_a_button_and_its_parts_know_each_other() -> None:
    whole = make_dataset(PAIRS)
    address = reverse("dataset-split", args=[whole.id])
    page = browser().post(address, {"amount": "5", "unit": "rows"}, follow=True).content.decode()
    assert "15 rows to train on, 5 held out" in page
    training = DatasetVersion.objects.get(dataset__name="sums-train")
    held_out = DatasetVersion.objects.get(dataset__name="sums-held-out")
    assert f"?dataset={training.id}&amp;held_out={held_out.id}" in page
    assert reverse("dataset", args=[held_out.id]) in page
    draft = browser().get(f"{reverse('job-new')}?dataset={training.id}&held_out={held_out.id}").content.decode()
    assert page_data(draft, "job-form-data")["draft"]["validation_file"] == held_out.id


@pytest.mark.parametrize(("amount", "unit"), [("0", "rows"), ("many", "rows"), ("100", "percent"), ("nan", "percent")])
def test_a_split_of_no_amount_is_answered_with_a_sentence(amount: str, unit: str) -> None:
    whole = make_dataset(PAIRS)
    address = reverse("dataset-split", args=[whole.id])
    page = browser().post(address, {"amount": amount, "unit": unit}, follow=True).content.decode()
    assert "Give a number of rows" in page
    assert DatasetVersion.objects.count() == 1


def test_a_dataset_that_a_job_uses_is_kept() -> None:
    job = make_job()
    answer = browser().post(reverse("dataset-delete", args=[job.training_id]), follow=True)
    assert "Jobs still use this version" in answer.content.decode()
    spare = make_dataset(jsonl(PROMPTS), name="spare")
    browser().post(reverse("dataset-delete", args=[spare.id]))
    assert not DatasetVersion.objects.filter(id=spare.id).exists()


def test_a_key_is_shown_once_and_a_revoked_one_opens_nothing() -> None:
    client = browser()
    page = client.post(reverse("settings"), {"name": "ci", "scopes": ["read"], "days": ""}).content.decode()
    found = re.search(r"wk-[\w-]{20,}", page)
    assert found is not None
    assert found[0] not in client.get(reverse("settings")).content.decode()
    bearer = {"Authorization": f"Bearer {found[0]}"}
    assert Client().get("/v1/models", headers=bearer).status_code == 200
    client.post(reverse("key-revoke", args=[ApiKey.objects.get().pk]))
    assert Client().get("/v1/models", headers=bearer).status_code == 401


def test_a_key_of_another_team_cannot_be_revoked() -> None:
    make_key()
    assert browser(make_user("eve")).post(reverse("key-revoke", args=[ApiKey.objects.get().pk])).status_code == 404


def test_a_worker_names_only_the_jobs_of_ones_own_team() -> None:
    welcome(Hello(worker="w1", pool="cpu", machine=MACHINE))
    page = browser().get(reverse("workers")).content.decode()
    assert "w1" in page
    assert "alive" in page


def test_the_language_is_chosen_in_the_page_and_the_theme_by_a_cookie() -> None:
    client = browser()
    client.post(reverse("set_language"), {"language": "zh-hans", "next": "/"})
    client.cookies["theme"] = "dark"
    page = client.get(reverse("jobs")).content.decode()
    assert '<html lang="zh-hans" data-theme="dark">' in page
    assert "任务" in page


def test_a_theme_that_nobody_offers_is_ignored() -> None:
    client = browser()
    client.cookies["theme"] = '"><script>'
    assert 'data-theme="system"' in client.get("/").content.decode()


def test_no_page_has_script_or_style_of_its_own() -> None:
    for path in sorted(TEMPLATES.rglob("*.html")):
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"\sstyle=|<style|\son\w+=|javascript:", text), path.name
        for script in re.findall(r"<script[^>]*>", text):
            assert "src=" in script, path.name


def test_a_model_says_where_it_comes_from() -> None:
    job = make_job()
    trained = make_model("ft:tiny:ada::1")
    Job.objects.filter(id=job.id).update(trained=trained)
    page = browser().get(reverse("model", args=[trained.pk])).content.decode()
    assert reverse("job", args=[job.id]) in page
    assert team_of(make_user()) == job.team


def test_a_model_names_its_base_and_that_ones_base() -> None:
    first, second, third = (make_model(name) for name in ("first", "second", "third"))
    Model.objects.filter(id=second.id).update(base=first)
    Model.objects.filter(id=third.id).update(base=second)
    page = browser().get(reverse("model", args=[third.pk])).content.decode()
    assert page.index(reverse("model", args=[second.pk])) < page.index(reverse("model", args=[first.pk]))
