"""The workers' door: what a worker that is broken, late, old or in a hurry can send, and what it does to the jobs."""

import hashlib
import json
import os
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from contracts.event import Claim, Hello
from contracts.fault import Fault
from tests.whetstone.factories import EXACT, MACHINE, make_job, make_team
from whetstone.artifacts.store import put_bytes
from whetstone.jobs.claim import claim
from whetstone.jobs.models import Event, Job
from whetstone.jobs.place import place
from whetstone.jobs.record import ask, resume
from whetstone.jobs.supervise import idle_pools, wake_again
from whetstone.modelhub.models import Model
from whetstone.workers.pools import welcome


def now(job: Job) -> Job:
    return Job.objects.get(id=job.id)


def claimed() -> Claim:
    found = claim("w1", "cpu")
    assert found is not None
    return found


def send(job: Job, token: str, *events: dict[str, Any], first: int = 1, **fields: Any) -> Any:
    http = Client(headers={"authorization": f"Bearer {token}"}, raise_request_exception=False)
    reports = [
        {"seq": seq, "at": time.time(), "event": event} | fields for seq, event in enumerate(events, start=first)
    ]
    return http.post(
        f"/api/worker/jobs/{job.id}/events", json.dumps({"reports": reports}), content_type="application/json"
    )


def metrics(step: int) -> dict[str, Any]:
    return {"type": "metrics", "step": step, "values": {"reward": 0.5}}


def failed(code: str, **params: Any) -> dict[str, Any]:
    return {"type": "failed", "fault": {"code": code, "params": params, "evidence": "the end\0of a log"}}


def file(path: str, content: bytes, keep: bool = True) -> dict[str, Any]:
    if keep:
        put_bytes(make_team(), content)
    return {"path": path, "sha256": hashlib.sha256(content).hexdigest(), "size": len(content)}


def finished(*files: dict[str, Any]) -> dict[str, Any]:
    return {"type": "finished", "step": 5, "files": files, "parameters": 7, "trained_tokens": 9}


def test_the_token_of_one_job_opens_no_other() -> None:
    one, other = make_job(), make_job()
    token, _ = claimed().token, claimed()
    assert send(other, token, metrics(1)).status_code == 401
    assert send(Job(id="ftjob-x"), token, metrics(1)).status_code == 401
    assert send(one, token, metrics(1)).status_code == 200
    assert not Event.objects.filter(job=other, type="metrics").exists()


def test_a_scheme_is_read_in_any_case() -> None:
    job = make_job()
    token = claimed().token
    http = Client(headers={"authorization": f"bearer {token}"})
    answer = http.post(f"/api/worker/jobs/{job.id}/events", '{"reports": []}', content_type="application/json")
    assert answer.status_code == 200


def test_a_null_character_in_a_log_is_kept_readable() -> None:
    job = make_job()
    token = claimed().token
    assert send(job, token, {"type": "log", "text": "a\0b"}, failed("job.process_died", how="x\0y")).status_code == 200
    assert job.events.get(type="log").data["text"] == "a\ufffdb"
    assert now(job).status == "queued"


@pytest.mark.parametrize(
    "fault", [failed("job.nonsense"), failed("job.process_died"), failed("job.process_died", wrong="x")], ids=repr
)
def test_a_fault_that_cannot_be_said_is_refused_at_the_door(fault: dict[str, Any]) -> None:
    job = make_job()
    assert send(job, claimed().token, fault).status_code == 400
    assert now(job).status == "running"


@pytest.mark.parametrize(
    ("event", "fields"),
    [
        (metrics(2**40), {}),
        (metrics(-1), {}),
        (metrics(1), {"at": 1e300}),
        (metrics(1), {"at": -1e300}),
        (metrics(1), {"seq": 0}),
        (metrics(1), {"seq": 10**30}),
        (finished(file("../../etc/passwd", b"x", keep=False)), {}),
        (finished(file("/etc/passwd", b"x", keep=False)), {}),
        (finished(file("a\\b", b"x", keep=False)), {}),
    ],
    ids=lambda value: repr(value)[:60],
)
def test_a_report_out_of_all_bounds_is_refused_at_the_door(event: dict[str, Any], fields: dict[str, Any]) -> None:
    job = make_job()
    assert send(job, claimed().token, event, **fields).status_code == 400
    assert not job.events.filter(type__in=("metrics", "finished")).exists()


def test_reports_out_of_order_are_refused() -> None:
    job = make_job()
    answer = send(job, claimed().token, metrics(1), metrics(2), seq=3)
    assert answer.status_code == 400
    assert "order" in answer.json()["error"]["message"]


def test_a_step_that_is_told_again_is_written_down_once() -> None:
    job = make_job()
    token = claimed().token
    assert send(job, token, metrics(1), metrics(1), metrics(2)).status_code == 200
    assert send(job, token, metrics(2), metrics(3), first=4).status_code == 200
    assert list(job.events.filter(type="metrics").order_by("step").values_list("step", flat=True)) == [1, 2, 3]
    numbers = list(job.events.order_by("number").values_list("number", flat=True))
    assert numbers == list(range(1, now(job).last_event + 1))


def test_a_checkpoint_is_named_only_when_its_files_are_in_the_store() -> None:
    job = make_job()
    token = claimed().token
    ghost = {"type": "checkpoint", "step": 1, "files": [file("model.safetensors", b"gone", keep=False)]}
    assert send(job, token, metrics(1), ghost).status_code == 400
    assert not job.events.filter(type="checkpoint").exists()


@pytest.mark.parametrize("config", [b"not json", b"[1]", b'{"limit": Infinity}', b'{"a": "\\u0000"}'])
def test_a_model_whose_config_cannot_be_kept_is_kept_all_the_same(config: bytes) -> None:
    job = make_job()
    Model.objects.update(config={"model_type": "base"})
    answer = send(job, claimed().token, finished(file("config.json", config)))
    assert answer.status_code == 200, answer.content
    trained = now(job).trained
    assert trained is not None
    assert trained.config == {"model_type": "base"}


def test_a_model_made_from_a_model_with_a_long_name_is_kept() -> None:
    make_job()
    Model.objects.update(name="x" * 256)
    job = make_job(model="x" * 256, suffix="y" * 64)
    Job.objects.exclude(id=job.id).delete()
    assert send(job, claimed().token, finished()).status_code == 200
    trained = now(job).trained
    assert trained is not None
    assert len(trained.name) <= 256
    assert trained.name.endswith(f"{'y' * 64}:{job.id[-8:]}")


def test_a_wish_to_pause_outlives_a_death_of_the_attempt() -> None:
    job = make_job()
    token = claimed().token
    ask(job.id, Job.Wish.PAUSE)
    send(job, token, failed("job.process_died", how="killed"))
    assert now(job).status == "paused"


def test_a_cancel_is_not_taken_back_by_a_pause() -> None:
    job = make_job()
    token = claimed().token
    ask(job.id, Job.Wish.CANCEL)
    with pytest.raises(Fault):
        ask(job.id, Job.Wish.PAUSE)
    send(job, token, {"type": "stopped", "step": 1})
    assert now(job).status == "cancelled"


def test_a_pause_uses_up_no_try() -> None:
    job = make_job()
    for _ in range(5):
        token = claimed().token
        ask(job.id, Job.Wish.PAUSE)
        send(job, token, {"type": "stopped", "step": 1})
        resume(job.id)
    for _ in range(2):
        send(job, claimed().token, failed("job.process_died", how="killed"))
        assert now(job).status == "queued"
    send(job, claimed().token, failed("job.process_died", how="killed"))
    assert now(job).status == "failed"


def test_a_report_costs_few_queries(django_assert_max_num_queries: DjangoAssertNumQueries) -> None:
    job = make_job()
    token = claimed().token
    with django_assert_max_num_queries(12):
        send(job, token, *[metrics(step) for step in range(1, 200)])


def wakings(job: Job) -> Any:
    return Job.objects.values_list("woken_at", flat=True).get(id=job.id)


def test_a_waiting_job_is_announced_again_only_to_a_pool_with_an_idle_worker() -> None:
    job, long_ago = make_job(), timezone.now() - timedelta(minutes=1)
    Job.objects.update(woken_at=long_ago)
    wake_again()
    assert wakings(job) == long_ago
    welcome(Hello(worker="w1", pool="cpu", machine=MACHINE))
    assert idle_pools() == ["cpu"]
    wake_again()
    assert wakings(job) > long_ago
    claimed()
    second = make_job()
    Job.objects.update(woken_at=long_ago)
    assert idle_pools() == []
    wake_again()
    assert wakings(second) == long_ago


def test_a_learning_rate_that_no_worker_could_read_is_refused_and_blocks_no_pool() -> None:
    with pytest.raises(Fault, match="learning_rate"):
        make_job(method=method(learning_rate=0.5, learning_rate_multiplier=10))
    with pytest.raises(Fault, match="learning_rate"):
        make_job(method=method(learning_rate_multiplier=1e308))
    job = make_job(method=method(learning_rate=0.5, learning_rate_multiplier=2))
    assert claimed().spec.job == job.id


def method(**hyperparameters: Any) -> dict[str, Any]:
    return {"type": "reinforcement", "reinforcement": {"grader": EXACT, "hyperparameters": hyperparameters}}


def test_before_the_first_worker_there_is_a_pool_to_wait_in() -> None:
    assert [place(asked, None, None).pool.name for asked in ("auto", "cpu")] == ["cpu", "cpu"]
    welcome(Hello(worker="w1", pool="h100", machine=MACHINE))
    assert place("auto", None, None).pool.name == "h100"
    with pytest.raises(Fault, match="no pool"):
        place("cpu", None, None)


def test_a_blob_that_lost_its_end_is_refused_and_can_be_stored_anew() -> None:
    job, content = make_job(), b"half of this is lost"
    blob = put_bytes(job.team, content)
    token = claimed().token
    stored = Path(default_storage.path(blob.place))
    os.truncate(stored, 10)
    http = Client(headers={"authorization": f"Bearer {token}"})
    address = f"/api/worker/jobs/{job.id}/blobs/{blob.sha256}"
    assert http.get(address).status_code == 404
    assert http.head(address).status_code == 404
    put_bytes(job.team, content)
    assert stored.read_bytes() == content
    assert http.head(address).status_code == 200
