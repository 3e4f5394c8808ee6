"""A disk that is nearly full: nothing new is taken in, what runs goes on, and everybody is told."""

import hashlib
import json
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from tests.small_disk import fill, may_mount, small_disk
from tests.whetstone.factories import jsonl, make_job, make_key
from whetstone.artifacts.disk import free_gb
from whetstone.jobs.claim import claim


@pytest.fixture
def low(settings: Settings) -> None:
    """The mark is set above what any disk has free."""
    settings.ENVIRONMENT = settings.ENVIRONMENT.model_copy(update={"min_free_gb": 10.0**9})


def ask_for_a_job(token: str) -> int:
    body = json.dumps({"worker": "w1", "pool": "cpu"})
    http = Client(headers={"authorization": f"Bearer {token}"})
    return http.post("/api/worker/claim", body, content_type="application/json").status_code


def upload() -> Any:
    file = BytesIO(jsonl([{"prompt": "1+1", "answer": "2"}]))
    file.name = "sums.jsonl"
    http = Client(headers={"authorization": f"Bearer {make_key()}"})
    return http.post("/v1/files", {"file": file, "purpose": "fine-tune"})


def test_free_space_is_measured_before_the_store_has_a_file() -> None:
    assert free_gb() > 0


def test_an_upload_is_refused_with_what_to_do(low: None) -> None:
    answer = upload()
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["type"]) == (503, "platform.disk_low", "server_error")
    assert "GB are free" in error["message"]
    assert error["next_step"]


def test_no_job_is_handed_out_while_the_disk_is_low(settings: Settings) -> None:
    job = make_job()
    enough = settings.ENVIRONMENT
    settings.ENVIRONMENT = enough.model_copy(update={"min_free_gb": 10.0**9})
    assert ask_for_a_job(settings.WORKER_TOKEN) == 204
    settings.ENVIRONMENT = enough.model_copy(update={"min_free_gb": 0})
    assert ask_for_a_job(settings.WORKER_TOKEN) == 200
    job.refresh_from_db()
    assert job.status == "running"


def test_a_job_that_runs_still_stores_its_files(settings: Settings) -> None:
    job = make_job()
    claimed = claim("w1", "cpu")
    assert claimed is not None
    settings.ENVIRONMENT = settings.ENVIRONMENT.model_copy(update={"min_free_gb": 10.0**9})
    http = Client(headers={"authorization": f"Bearer {claimed.token}"})
    address = f"/api/worker/jobs/{job.id}/blobs/{hashlib.sha256(b'weights').hexdigest()}"
    assert http.put(address, b"weights", content_type="application/octet-stream").status_code == 201


@may_mount
def test_a_file_for_which_there_is_no_room_at_all_is_refused_as_such(tmp_path: Path, settings: Settings) -> None:
    job = make_job()
    claimed = claim("w1", "cpu")
    assert claimed is not None
    weights = b"weights" * 10_000
    address = f"/api/worker/jobs/{job.id}/blobs/{hashlib.sha256(weights).hexdigest()}"
    http = Client(headers={"authorization": f"Bearer {claimed.token}"}, raise_request_exception=False)
    with small_disk(tmp_path / "small") as disk:
        settings.FILE_UPLOAD_TEMP_DIR = str(disk)
        ballast = fill(disk)
        answer = http.put(address, weights, content_type="application/octet-stream")
        assert (answer.status_code, answer.json()["error"]["code"]) == (507, "platform.disk_full")
        assert [path.name for path in disk.iterdir()] == ["ballast"]
        ballast.unlink()
        assert http.put(address, weights, content_type="application/octet-stream").status_code == 201


def test_the_probe_tells_of_a_low_disk_and_lets_workers_in(low: None) -> None:
    answer = Client().get("/readyz")
    assert answer.status_code == 200
    assert "GB are free" in answer.json()["checks"]["disk"]
