"""Schemathesis asks the running platform everything that its OpenAPI document allows, and much that it does not.

`make fuzz` takes ten minutes for it, the suite half a minute. It runs as a program of its own: it drives a server.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.end_to_end.laptop import USER, Laptop, created, until, upload
from tests.end_to_end.test_laptop import LENIENT, QUESTIONS, draft

pytestmark = [pytest.mark.end_to_end, pytest.mark.timeout(1200)]

SECONDS = 600 if os.environ.get("WHETSTONE_TEST_FUZZ") == "full" else 30
PROGRAM = shutil.which("st", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
CHECKS = (
    "not_a_server_error",
    "response_schema_conformance",
    "content_type_conformance",
    "unsupported_method",
    "ignored_auth",
)
WITHOUT_END = "(live|stream)$"


def what_there_is(api: httpx.Client) -> dict[str, str | int]:
    """One of everything, under the names that the addresses have for it."""
    file = upload(api, "fuzzed.jsonl", QUESTIONS)["id"]
    api.post("/api/v1/evaluators", json={"name": "fuzzed", "grader": LENIENT})
    types = ["fine_tuning.job.succeeded"]
    hook = {"name": "fuzzed", "url": "https://example.invalid/hook", "event_types": types}
    endpoint = api.post("/v1/webhook_endpoints", json=hook).json()["id"]
    job = created(api, draft(file, max_steps=2, checkpoint_interval=1) | {"validation_file": file})["id"]
    model = until(api, job)["fine_tuned_model"]
    asked = {"model": model, "dataset": file, "evaluator": "fuzzed", "settings": {"limit": 2}}
    evaluation = api.post("/api/v1/evaluations", json=asked).json()["evaluation"]["id"]
    deployment = api.post("/api/v1/deployments", json={"model": model}).json()["id"]
    part = {"filename": "parts.jsonl", "purpose": "fine-tune", "bytes": 100, "mime_type": "text/jsonl"}
    return {
        "path.file_id": file,
        "path.dataset": file,
        "path.ref": "fuzzed@1",
        "path.endpoint_id": endpoint,
        "path.job_id": job,
        "path.step": 2,
        "path.model": model,
        "path.file": "config.json",
        "path.evaluation_id": evaluation,
        "path.deployment_id": deployment,
        "path.upload_id": api.post("/v1/uploads", json=part).json()["id"],
    }


@pytest.mark.skipif(PROGRAM is None, reason="LEFT OUT: schemathesis is not installed")
def test_nothing_that_can_be_asked_breaks_the_platform(laptop: Laptop, api: httpx.Client, tmp_path: Path) -> None:
    settings = tmp_path / "schemathesis.toml"
    known = [f"{json.dumps(name)} = {json.dumps(value)}\n" for name, value in what_there_is(api).items()]
    settings.write_text("[parameters]\n" + "".join(known))
    key = laptop.manage("createkey", "--user", USER)
    asked = (PROGRAM or "", "--config-file", str(settings), "run", f"{laptop.url}/api/openapi.json")
    how = ("--phases", "coverage,fuzzing", "--max-time", str(SECONDS), "--checks", ",".join(CHECKS))
    limits = ("--exclude-path-regex", WITHOUT_END, "--exclude-method", "DELETE", "--request-timeout", "30")
    command = [*asked, "--header", f"Authorization: Bearer {key}", *how, *limits, "--no-color", "--warnings", "off"]
    done = subprocess.run(
        command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-20_000:]
    assert "Traceback" not in laptop.log("web")
