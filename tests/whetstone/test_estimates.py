"""How long a job takes and what it costs: said before it is created, learned from those before, shown afterwards."""

import json
import time
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from contracts.estimate import GUESS
from contracts.event import Finished, Metrics, Report, WorkerEvent
from tests.whetstone.evaluations import carry_out
from tests.whetstone.factories import EXACT, make_dataset, make_draft, make_job, make_key, make_model, make_worker
from tests.whetstone.pages import browser
from tests.whetstone.test_rest import Api
from whetstone.artifacts.store import put_bytes
from whetstone.jobs.claim import claim
from whetstone.jobs.fit import fit
from whetstone.jobs.lengths import CHARACTERS_A_TOKEN, MARKS, lengths
from whetstone.jobs.models import Attempt, Event, Job
from whetstone.jobs.promise import held_s, worked_s
from whetstone.jobs.record import record
from whetstone.modelhub.models import Model
from whetstone.starter import model as starter


@pytest.fixture
def small() -> Model:
    """The starter model's config, a dataset, and a machine that could train it."""
    made = make_model()
    made.config, made.parameters = starter.CONFIG, starter.parameters()
    made.save()
    make_dataset()
    make_worker()
    return made


@pytest.fixture
def api() -> Api:
    return Api(make_key())


@pytest.fixture
def price(settings: Any) -> None:
    prices = {"pool_prices": {"cpu": 0.9}, "currency": "EUR"}
    settings.ENVIRONMENT = settings.ENVIRONMENT.model_copy(update=prices)


def preview(api: Api) -> dict[str, Any]:
    _status, body = api.post("/api/v1/jobs/check", make_draft().model_dump(mode="json", exclude_unset=True))
    found: dict[str, Any] = body["preview"]
    return found


def finished(job: Job, ratio: float) -> None:
    """It took so many times what was expected of time, and as much memory as was expected."""
    assert job.expected_seconds
    Job.objects.filter(id=job.id).update(
        status="succeeded",
        peak_memory=job.expected_memory,
        worked_seconds=ratio * job.expected_seconds,
        finished_at=timezone.now(),
    )


def test_a_first_guess_is_a_wide_range_and_jobs_make_it_narrower(small: Model, api: Api) -> None:
    guessed = preview(api)
    assert guessed["time"]["jobs"] == 0
    assert guessed["time"]["high_s"] == pytest.approx(GUESS**2 * guessed["time"]["low_s"], rel=0.05)
    assert guessed["cost"] is None
    finished(make_job(), 3.0)
    one = preview(api)["time"]
    assert (one["jobs"], one["error"]) == (1, None)
    assert one["seconds"] == pytest.approx(3 * guessed["time"]["seconds"], rel=0.01)
    for ratio in (2.0, 3.0, 3.3):
        finished(make_job(), ratio)
    told = preview(api)["time"]
    assert told["jobs"] == 4
    assert told["error"] == pytest.approx(0.05, abs=0.06)
    low, high = (told[name] / guessed["time"]["seconds"] for name in ("low_s", "high_s"))
    assert 1.7 < low < 2.0
    assert 3.3 < high < 3.7


def test_jobs_on_the_same_model_count_alone_once_there_are_enough(small: Model, api: Api) -> None:
    before = preview(api)["time"]["seconds"]
    other = Model.objects.create(
        team=small.team, name="other", origin=small.origin, config=small.config, created_by=small.created_by
    )
    for ratio in (1.0, 1.0, 1.0):
        job = make_job()
        Job.objects.filter(id=job.id).update(base=other)
        finished(job, 9.0)
        finished(make_job(), ratio)
    assert preview(api)["time"]["seconds"] == pytest.approx(before, rel=0.02)


def test_a_price_makes_a_cost_that_is_kept_with_the_job(small: Model, api: Api, price: None, settings: Any) -> None:
    found = preview(api)
    assert found["cost"]["currency"] == "EUR"
    assert found["cost"]["high"] == pytest.approx(found["time"]["high_s"] / 3600 * 0.9, abs=2e-4)
    job = make_job()
    settings.ENVIRONMENT = settings.ENVIRONMENT.model_copy(update={"pool_prices": {"cpu": 500.0}})
    begun = timezone.now() - timedelta(hours=2)
    Attempt.objects.create(job=job, number=1, token_hash="a", started_at=begun, ended_at=begun + timedelta(hours=1))
    finished(job, 1.0)
    Job.objects.filter(id=job.id).update(started_at=begun)
    page = browser().get(f"/jobs/{job.id}").content.decode()
    assert "0.90 EUR" in page, "an hour at the price of that day"
    assert "a first guess" in page
    assert "(+0%)" in page
    workers = browser().get("/workers").content.decode()
    assert "500.00 EUR an hour" in workers


def test_an_evaluation_too_is_promised_a_time_and_a_cost_that_evaluations_before_it_correct(
    small: Model, api: Api, price: None
) -> None:
    body = {"model": "tiny", "dataset": "sums", "grader": EXACT, "settings": {"batch_size": 2, "limit": 4}}

    def promised() -> dict[str, Any]:
        _status, found = api.post("/api/v1/evaluations/check", body)
        return found

    first = promised()
    assert first["time"]["jobs"] == 0
    assert first["cost"]["high"] == pytest.approx(first["time"]["high_s"] / 3600 * 0.9, abs=1e-4)
    api.post("/api/v1/evaluations", body)
    job = Job.objects.get()
    assert job.promise["seconds"] == pytest.approx(first["time"]["seconds"], abs=0.1)
    carry_out(job, [[1.0]] * 4)
    job.refresh_from_db()
    assert job.worked_seconds is not None
    assert job.worked_seconds > 0
    for _ in range(3):
        api.post("/api/v1/evaluations", body | {"anew": True})
        finished(Job.objects.filter(status="queued").get(), 2.0)
    Job.objects.filter(id=job.id).delete()
    after = promised()
    assert (after["time"]["jobs"], after["time"]["error"]) == (3, 0)
    assert after["time"]["seconds"] == pytest.approx(2 * first["time"]["seconds"], rel=0.01)


def test_work_that_was_lost_and_time_that_passed_waiting_do_not_count_as_work(small: Model) -> None:
    job = make_job()
    now = timezone.now()

    def ago(minutes: int) -> datetime:
        return now - timedelta(minutes=minutes)

    for number, begun, ended in ((1, 60, 40), (2, 30, 20), (3, 10, None)):
        end = ago(ended) if ended else None
        Attempt.objects.create(job=job, number=number, token_hash=str(number), started_at=ago(begun), ended_at=end)
    for number, (attempt, at) in enumerate(((1, 55), (1, 50), (3, 5)), start=10):
        Event.objects.create(job=job, number=number, attempt=attempt, type="metrics", step=number, at=ago(at), data={})
    Job.objects.filter(id=job.id).update(attempt=3)
    job.refresh_from_db()
    assert worked_s(job) == pytest.approx((10 + 0 + 10) * 60, abs=5), "the first to its last step, the second to none"
    assert held_s(job) == pytest.approx((20 + 10 + 10) * 60, abs=5), "the machine was held all the same"


def test_a_job_that_ends_says_how_long_it_worked(small: Model) -> None:
    job = make_job()
    claimed = claim("w1", "cpu")
    assert claimed
    Attempt.objects.filter(job=job).update(started_at=timezone.now() - timedelta(seconds=90))
    files = (put_bytes(job.team, b"done").ref("model.safetensors"),)
    events: tuple[WorkerEvent, ...] = (
        Metrics(step=1, values={"loss": 1.0}),
        Finished(step=1, files=files, parameters=7, trained_tokens=9, peak_memory=500_000_000),
    )
    record(job.id, claimed.token, tuple(Report(seq=n, at=time.time(), event=e) for n, e in enumerate(events, 1)))
    job.refresh_from_db()
    assert job.worked_seconds == pytest.approx(90, abs=5)
    page = browser().get(f"/jobs/{job.id}").content.decode()
    assert "0.50 GB" in page
    assert "2 min" in page


def test_the_workers_page_says_how_far_estimates_were_off(small: Model) -> None:
    assert "How far estimates were off" not in browser().get("/workers").content.decode()
    for ratio in (1.0, 1.2, 0.9):
        finished(make_job(), ratio)
    page = browser().get("/workers").content.decode()
    table = page[page.index("How far estimates were off") :]
    assert "10%" in table
    assert "GRPO" in table


def test_rows_are_as_long_as_they_were_counted_else_as_their_characters_say(small: Model) -> None:
    version = make_dataset(name="long", rows=[{"messages": [{"role": "user", "content": "x" * 90}], "answer": "1"}])
    assert lengths(version, small, prompts_alone=True) == (90 + MARKS, 90 + MARKS), "a vocabulary of bytes"
    small.config = small.config | {"vocab_size": 50_000}
    assert lengths(version, small, prompts_alone=True).longest == int(90 / CHARACTERS_A_TOKEN) + MARKS
    small.context_length = 20
    assert lengths(version, small, prompts_alone=True).longest == 20
    assert fit(version, small) is None, "this model brings no tokenizer"


def test_a_tokenizer_without_a_chat_template_is_refused_before_a_worker_is_asked(small: Model, api: Api) -> None:
    def refusals(settings: dict[str, str]) -> list[str]:
        file = put_bytes(small.team, json.dumps(settings).encode()).ref("tokenizer_config.json")
        Model.objects.filter(pk=small.pk).update(files=[file.model_dump(mode="json")])
        _status, body = api.post("/api/v1/jobs/check", make_draft().model_dump(mode="json", exclude_unset=True))
        return [problem["code"] for problem in body["problems"]]

    assert refusals({"tokenizer_class": "Qwen2Tokenizer"}) == ["model.no_chat_template"]
    assert refusals({"chat_template": "{{ messages }}"}) == []
