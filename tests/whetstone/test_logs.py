"""Logs that machines read: one object a line, with the request, the job and the attempt."""

import io
import json
import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from tests.whetstone.factories import make_job
from tests.whetstone.test_claim_and_record import claimed
from whetstone.logs import AsJson

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def logged() -> Iterator[io.StringIO]:
    text = io.StringIO()
    handler = logging.StreamHandler(text)
    handler.setFormatter(AsJson())
    logging.getLogger("whetstone").addHandler(handler)
    yield text
    logging.getLogger("whetstone").removeHandler(handler)


def lines(text: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.getvalue().splitlines()]


def test_a_line_about_a_job_carries_job_and_attempt(logged: io.StringIO) -> None:
    logging.getLogger("whetstone.x").warning("job=%s attempt=%d fell\nsilent", "ftjob-1", 2)
    (line,) = lines(logged)
    assert (line["job"], line["attempt"], line["level"]) == ("ftjob-1", 2, "WARNING")
    assert line["message"] == "job=ftjob-1 attempt=2 fell\nsilent"
    assert line["time"].endswith("+00:00")


def test_a_line_can_hold_what_is_no_text() -> None:
    # Not logged: pytest cannot tell half a character from one of its processes to another.
    record = logging.makeLogRecord({"msg": "half a character: %s", "args": ("\udcff",)})
    assert json.loads(AsJson().format(record))["message"].endswith("\udcff")


def test_an_error_carries_its_traceback_in_the_same_line(logged: io.StringIO) -> None:
    try:
        _ = 1 / 0
    except ZeroDivisionError:
        logging.getLogger("whetstone.x").exception("no")
    (line,) = lines(logged)
    assert "ZeroDivisionError" in line["error"]
    assert "job" not in line


def test_what_goes_wrong_in_a_report_names_request_job_and_attempt(logged: io.StringIO, settings: Settings) -> None:
    job = make_job()
    http = Client(headers={"authorization": f"Bearer {claimed().token}"}, raise_request_exception=False)
    settings.FILE_UPLOAD_TEMP_DIR = "/nowhere"
    answer = http.put(f"/api/worker/jobs/{job.id}/blobs/{'0' * 64}", b"x", content_type="application/octet-stream")
    assert answer.status_code == 500
    (line,) = lines(logged)
    assert (line["job"], line["attempt"], line["request_id"]) == (job.id, 1, answer["x-request-id"])


def test_a_request_after_it_knows_nothing_of_that_job(logged: io.StringIO, settings: Settings) -> None:
    make_job()
    Client(headers={"authorization": f"Bearer {claimed().token}"}).head(f"/api/worker/jobs/x/blobs/{'0' * 64}")
    settings.ENVIRONMENT = settings.ENVIRONMENT.model_copy(update={"min_free_gb": 10.0**9})
    worker = Client(headers={"authorization": f"Bearer {settings.WORKER_TOKEN}", "x-request-id": "mine"})
    worker.post("/api/worker/claim", json.dumps({"worker": "w", "pool": "cpu"}), content_type="application/json")
    (line,) = lines(logged)
    assert line["request_id"] == "mine"
    assert "job" not in line


@pytest.mark.parametrize(("form", "is_json"), [("json", True), ("text", False)])
def test_the_environment_chooses_the_form(form: str, is_json: bool, tmp_path: Path) -> None:
    code = "import django, logging; django.setup(); logging.getLogger('uvicorn.access').warning('hello %s', 'you')"
    chosen = {"WHETSTONE_LOG": form, "WHETSTONE_HOME": str(tmp_path), "PYTHONPATH": f"{ROOT / 'platform'}:{ROOT}"}
    environment = os.environ | chosen | {"DJANGO_SETTINGS_MODULE": "whetstone.settings"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert "hello you" in done.stderr
    assert done.stderr.startswith("{") == is_json
