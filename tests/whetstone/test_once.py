"""A POST that is sent again under the same key does its work once."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.utils import timezone

from tests.whetstone.factories import EXACT, PROMPTS, jsonl, make_dataset, make_job, make_key, make_model, make_user
from whetstone.accounts.models import Replay
from whetstone.accounts.replays import forget_replays
from whetstone.datasets.models import DatasetVersion
from whetstone.jobs.models import Job
from whetstone.jobs.retention import keep_house

pytestmark = pytest.mark.django_db(transaction=True)
JOBS = "/v1/fine_tuning/jobs"
DRAFT = {"model": "tiny", "training_file": "sums", "method": {"type": "grpo", "grpo": {"grader": EXACT}}}


@pytest.fixture
def http() -> Client:
    make_model()
    make_dataset()
    return client()


def client(name: str = "ada") -> Client:
    key = make_key(make_user(name))
    return Client(headers={"authorization": f"Bearer {key}"}, raise_request_exception=False)


def post(http: Client, body: object, key: str = "run-7", path: str = JOBS) -> Any:
    return http.post(path, json.dumps(body), content_type="application/json", headers={"idempotency-key": key})


def test_the_same_request_again_gets_the_same_answer_and_makes_nothing(http: Client) -> None:
    first = post(http, DRAFT)
    assert first.status_code == 200
    assert "idempotent-replayed" not in first
    again = post(http, DRAFT)
    assert (again.status_code, again["idempotent-replayed"]) == (200, "true")
    assert again.json() == first.json()
    assert again["content-type"].startswith("application/json")
    assert Job.objects.count() == 1
    assert post(http, DRAFT, key="run-8").json()["id"] != first.json()["id"]


def test_another_request_under_the_same_key_is_refused_for_good(http: Client) -> None:
    post(http, DRAFT)
    answer = post(http, DRAFT | {"seed": 1})
    assert (answer.status_code, answer["x-should-retry"]) == (400, "false")
    assert answer.json()["error"]["code"] == "replay.other_request"
    assert answer.json()["error"]["param"] == "Idempotency-Key"
    assert Job.objects.count() == 1


def test_a_key_belongs_to_whoever_sent_it(http: Client) -> None:
    first = post(http, DRAFT)
    second = post(client(), DRAFT)  # another key of the same person
    assert second.status_code == 200
    assert second.json()["id"] != first.json()["id"]


def test_what_was_refused_may_be_mended_and_sent_again(http: Client) -> None:
    body = DRAFT | {"training_file": "later"}
    assert post(http, body).json()["error"]["code"] == "dataset.not_found"
    make_dataset(name="later")
    assert post(http, body).status_code == 200
    assert not Replay.objects.filter(status=None).exists()


def test_a_request_that_is_still_being_answered_is_to_be_waited_for(http: Client) -> None:
    post(http, DRAFT)
    Replay.objects.update(status=None, answer="")
    answer = post(http, DRAFT)
    assert (answer.status_code, answer["retry-after"], answer["x-should-retry"]) == (409, "1", "true")
    assert answer.json()["error"]["code"] == "replay.in_progress"
    Replay.objects.update(created_at=timezone.now() - timedelta(minutes=16))
    assert post(http, DRAFT).status_code == 200, "the process that was answering it has died"


def test_of_many_at_once_one_makes_a_job(http: Client) -> None:
    start = threading.Barrier(6)

    def one(_number: int) -> Any:
        start.wait()
        try:
            return post(http, DRAFT)
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as crowd:
        answers = list(crowd.map(one, range(6)))
    assert Job.objects.count() == 1
    assert {answer.status_code for answer in answers} <= {200, 409}
    ids = {answer.json()["id"] for answer in answers if answer.status_code == 200}
    assert ids == {Job.objects.get().id}


def upload(http: Client, content: bytes) -> Any:
    file = SimpleUploadedFile("rows.jsonl", content)
    return http.post("/v1/files", {"file": file, "purpose": "fine-tune"}, headers={"idempotency-key": "u"})


def test_a_file_that_is_sent_again_becomes_no_second_version(http: Client) -> None:
    first = upload(http, jsonl(PROMPTS))
    again = upload(http, jsonl(PROMPTS))
    assert (again.json(), again["idempotent-replayed"]) == (first.json(), "true")
    assert DatasetVersion.objects.filter(dataset__name="rows").count() == 1
    assert upload(http, jsonl(PROMPTS[1:])).json()["error"]["code"] == "replay.other_request"


def test_a_stream_is_not_kept(http: Client) -> None:
    body = {"grader": EXACT, "dataset": "sums"}
    for _ in range(2):
        answer = post(http, body, path="/api/v1/graders/try/stream")
        assert answer.status_code == 200
        assert "idempotent-replayed" not in answer
    assert not Replay.objects.exists()


def test_nothing_that_is_stored_can_be_read_in_the_database(http: Client) -> None:
    post(http, DRAFT)
    assert Job.objects.get().id not in Replay.objects.get().answer


@pytest.mark.parametrize("key", ["", "a b", "x" * 256, "ключ"])
def test_an_impossible_key_is_refused(http: Client, key: str) -> None:
    answer = post(http, DRAFT, key=key)
    assert answer.status_code == 400
    assert not Job.objects.exists()


def test_a_get_takes_no_notice_of_a_key(http: Client) -> None:
    for _ in range(2):
        assert "idempotent-replayed" not in http.get(JOBS, headers={"idempotency-key": "x"})
    assert not Replay.objects.exists()


def test_an_action_without_a_body_is_not_done_twice(http: Client) -> None:
    job = make_job()
    for _ in range(2):
        answer = http.post(f"{JOBS}/{job.id}/cancel", headers={"idempotency-key": "stop"})
        assert answer.json()["status"] == "cancelled"


def test_answers_are_forgotten_after_a_day(http: Client) -> None:
    post(http, DRAFT)
    forget_replays()
    assert Replay.objects.exists()
    Replay.objects.update(created_at=timezone.now() - timedelta(hours=25))
    assert "idempotent-replayed" not in post(http, DRAFT)
    Replay.objects.update(created_at=timezone.now() - timedelta(hours=25))
    keep_house()
    assert not Replay.objects.exists()


def test_an_answer_with_a_form_of_its_own_comes_again_as_it_was(http: Client) -> None:
    body = {"name": "ops", "url": "https://example.org/hook", "event_types": ["fine_tuning.job.succeeded"]}
    first = post(http, body, path="/v1/webhook_endpoints")
    assert first.status_code == 200, first.content
    again = post(http, body, path="/v1/webhook_endpoints")
    assert again["idempotent-replayed"] == "true"
    assert again.content == first.content
