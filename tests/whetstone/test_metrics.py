"""The numbers that a Prometheus reads, and who may read them."""

from typing import Any

from django.test import Client
from pytest_django import Settings

from tests.whetstone.factories import let_lease_run_out, make_job, make_key, make_worker
from tests.whetstone.test_claim_and_record import claimed, metrics, reports
from whetstone.jobs.record import record


def read(token: str | None = None) -> Any:
    return Client(headers={"authorization": f"Bearer {token}"} if token else {}).get("/metrics")


def numbers(token: str) -> dict[str, float]:
    lines = read(token).content.decode().splitlines()
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines if line[0] != "#")}


def test_nobody_reads_the_numbers_without_a_key() -> None:
    assert read().status_code == 401
    assert read("wrong").status_code == 401
    assert read("wrong").json()["error"]["code"] == "auth.invalid"


def test_a_key_and_the_workers_token_open_them(settings: Settings) -> None:
    assert read(make_key()).status_code == 200
    answer = read(settings.WORKER_TOKEN)
    assert answer.status_code == 200
    assert answer["content-type"].startswith("text/plain")


def test_they_tell_of_jobs_the_queue_and_workers() -> None:
    make_worker(pool="cpu")
    make_job()
    job = make_job()
    claim = claimed()
    record(claim.spec.job, claim.token, reports(*metrics(1, 2)))
    told = numbers(make_key())
    assert told['whetstone_jobs{status="running"}'] == told['whetstone_jobs{status="queued"}'] == 1
    assert told['whetstone_jobs{status="failed"}'] == 0
    assert told['whetstone_workers_alive{pool="cpu"}'] == 1
    assert told['whetstone_queue_age_seconds{pool="cpu"}'] > 0
    assert told["whetstone_events_recorded_total"] == 6
    assert told["whetstone_leases_expired_total"] == 0
    assert told["whetstone_disk_free_bytes"] > 0
    assert job.id


def test_they_count_workers_that_fell_silent() -> None:
    job = make_job()
    claimed()
    let_lease_run_out(job)
    assert numbers(make_key())["whetstone_leases_expired_total"] == 1


def test_requests_are_timed_by_route_and_not_by_job() -> None:
    key, job = make_key(), make_job()
    http = Client(headers={"authorization": f"Bearer {key}"})
    assert http.get(f"/v1/fine_tuning/jobs/{job.id}").status_code == 200
    http.get("/there/is/no/such/page")
    told = numbers(key)
    timed = [name for name in told if name.startswith("whetstone_request_seconds_count") and "fine_tuning" in name]
    assert timed
    assert not any(job.id in name for name in told)
    assert any('route="none"' in name for name in told)
