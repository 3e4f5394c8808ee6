"""Whatever is sent to the API, the answer is JSON in one envelope, and never the platform's own failure."""

import json
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test import Client

from tests.whetstone.factories import EXACT, PROMPTS, jsonl, make_dataset, make_job, make_key, make_model

DRAFT = {"model": "tiny", "training_file": "sums", "method": {"type": "grpo", "grpo": {"grader": EXACT}}}
JOBS = "/v1/fine_tuning/jobs"


@pytest.fixture
def http() -> Client:
    return Client(headers={"authorization": f"Bearer {make_key()}"}, raise_request_exception=False)


def error_of(answer: Any, status: int) -> dict[str, Any]:
    assert answer.status_code == status, answer.content
    assert answer["content-type"].startswith("application/json"), answer.content
    error: dict[str, Any] = answer.json()["error"]
    assert {"message", "type", "param", "code"} <= set(error)
    assert error["message"]
    assert error["code"]
    return error


@pytest.mark.parametrize(
    "path", ["/v1", "/v1/", "/v1/nothing", "/v1/models/", "/api/v1/nothing", "/api/worker/x", "/api"]
)
@pytest.mark.parametrize("method", ["get", "post", "delete"])
def test_an_address_that_does_not_exist_is_answered_in_the_envelope(http: Client, path: str, method: str) -> None:
    error_of(getattr(http, method)(path), 404)
    if path != "/v1/":  # here Django asks for its CSRF token first
        error_of(getattr(Client(enforce_csrf_checks=True), method)(path), 404)


@pytest.mark.parametrize(
    ("method", "path"),
    [("put", JOBS), ("delete", "/v1/models"), ("get", "/api/v1/jobs/check"), ("get", "/api/worker/claim")],
)
def test_a_wrong_verb_is_answered_in_the_envelope(http: Client, method: str, path: str) -> None:
    answer = getattr(http, method)(path)
    error_of(answer, 405)
    assert answer["allow"]


@pytest.mark.parametrize("method", ["get", "post"])
def test_without_a_key_every_verb_is_answered_with_401(method: str) -> None:
    assert error_of(getattr(Client(enforce_csrf_checks=True), method)(JOBS), 401)["code"] == "auth.missing"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'"text"',
        b"\xff\xfe",
        b'{"model": NaN}',
        b"[" * 100_000,
        b'{"model": "\\ud800", "training_file": "x"}',
        b'{"model": "a\\u0000b", "training_file": "x"}',
        b'{"a\\u0000b": 1}',
        b'{"model": ' + b"9" * 5000 + b"}",
        b"model=tiny&training_file=sums",
        b"x" * (17 * 1024 * 1024),
    ],
    ids=lambda body: repr(body[:30]),
)
@pytest.mark.parametrize("path", [JOBS, "/api/v1/jobs/check", "/api/v1/evaluators", "/api/v1/graders/try"])
def test_a_body_that_is_no_usable_json_is_refused(http: Client, path: str, body: bytes) -> None:
    answer = http.post(path, body, content_type="application/json")
    error_of(answer, 413 if len(body) > 10**7 else 400)


@pytest.mark.parametrize(
    "fields",
    [
        {"metadata": {"a": 1}},
        {"metadata": {"a": None}},
        {"metadata": {"a": "x" * 513}},
        {"metadata": {"": "x"}},
        {"metadata": {str(n): "x" for n in range(17)}},
        {"metadata": {"a": "\0"}},
        {"metadata": {"a\0": "x"}},
        {"metadata": [1]},
        {"seed": -1},
        {"seed": 2**31},
        {"seed": 10**30},
        {"suffix": ""},
        {"suffix": "x" * 65},
        {"suffix": "a\0"},
        {"model": "tiny\0"},
        {"model": 7},
        {"training_file": "sums\0"},
        {"training_file": "sums@" + "9" * 30},
        {"training_file": "sums@" + "9" * 250},
        {"resources": {"pool": "\0"}},
        {"method": {"type": "nothing"}},
        {"method": {"type": "grpo", "grpo": {"evaluator": "x@" + "9" * 5000}}},
        {"method": {"type": "grpo", "grpo": {"grader": EXACT, "hyperparameters": {"max_steps": 10**30}}}},
        {"method": {"type": "grpo", "grpo": {"grader": EXACT, "hyperparameters": {"micro_batch_size": -1}}}},
        {"method": {"type": "grpo", "grpo": {"grader": EXACT, "hyperparameters": {"learning_rate": 1e400}}}},
    ],
    ids=lambda fields: repr(fields)[:70],
)
def test_a_job_with_an_impossible_field_is_refused(http: Client, fields: dict[str, Any]) -> None:
    make_model()
    make_dataset()
    answer = http.post(JOBS, json.dumps(DRAFT | fields), content_type="application/json")
    error_of(answer, 400)


@pytest.mark.parametrize(
    "path",
    [
        "/v1/models/nobody",
        "/v1/models/ft:a:b:c:d",
        "/v1/models/org%2Fname",
        "/v1/models/a%00b",
        "/v1/models/%ff%fe",
        "/v1/files/file-x",
        "/v1/files/file-x/content",
        "/v1/files/a%00b",
        f"{JOBS}/ftjob-x",
        f"{JOBS}/a%00b",
        f"{JOBS}/ftjob-x/events",
        f"{JOBS}/ftjob-x/checkpoints",
        "/api/v1/datasets/file-x/rows",
        "/api/v1/datasets/x@99999999999999999999/rows",
        "/api/v1/evaluators/x@1",
        "/api/v1/evaluators/x@" + "9" * 5000,
        "/api/v1/evaluators/a%00b",
        "/api/v1/jobs/ftjob-x/series",
        "/api/v1/jobs/ftjob-x/live",
    ],
)
def test_what_an_address_names_and_is_not_there_is_a_404(http: Client, path: str) -> None:
    error_of(http.get(path), 404)


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=-1",
        "limit=x",
        "limit=" + "9" * 5000,
        "after=ftjob-x",
        "after=%00",
        "after=%ff",
        "&".join(f"a{n}=1" for n in range(2000)),
    ],
    ids=lambda query: query[:20],
)
def test_a_list_with_an_impossible_parameter_is_refused(http: Client, query: str) -> None:
    error_of(http.get(f"{JOBS}?{query}"), 400)


@pytest.mark.parametrize(
    "query",
    [
        "metadata[a__contains]=x",
        "metadata[isnull]=x",
        "metadata[a__regex]=.",
        "metadata[]=x",
        "metadata[a]b]=x",
        "metadata[%00]=x",
    ],
)
def test_a_filter_by_metadata_takes_every_key_literally(http: Client, query: str) -> None:
    make_job(metadata={"a": "x", "isnotnull": "y"})
    answer = http.get(f"{JOBS}?{query}")
    if answer.status_code != 400:
        assert answer.status_code == 200, answer.content
        assert answer.json()["data"] == []


@pytest.mark.parametrize("key", ["suite", "a.b", "a__b", "1", 'a"b', "schlüssel", "metadata[x]", "a b", "$", "%s"])
def test_a_job_is_found_by_its_metadata_whatever_the_key(http: Client, key: str) -> None:
    job = make_job(metadata={key: "x"})
    make_job(metadata={key: "y"})
    found = http.get(JOBS, {f"metadata[{key}]": "x"}).json()
    assert [one["id"] for one in found["data"]] == [job.id]


@pytest.mark.parametrize(
    "path",
    [
        "rollouts?step=" + "9" * 30,
        "rollouts?offset=" + "9" * 30,
        "rollouts?step=-1",
        "series?max_points=0",
        "series?max_points=" + "9" * 30,
        "live?after=-1",
    ],
)
def test_a_page_of_a_job_with_an_impossible_parameter_is_refused(http: Client, path: str) -> None:
    error_of(http.get(f"/api/v1/jobs/{make_job().id}/{path}"), 400)


def test_an_event_id_that_no_event_can_have_is_refused(http: Client) -> None:
    job = make_job().id
    for after in ("x", "ftevent-x-" + "9" * 5000, "ftevent-" + job + "-٣٣"):
        error_of(http.get(f"{JOBS}/{job}/events", {"after": after}), 400)
    assert http.get(f"{JOBS}/{job}/events", {"after": "ftevent-x-" + "9" * 18}).status_code == 200


def test_an_event_id_of_another_world_does_not_break_the_live_stream(http: Client) -> None:
    answer = http.get(f"/api/v1/jobs/{make_job().id}/live", headers={"last-event-id": "9" * 5000})
    assert answer.status_code == 200


def upload(http: Client, content: bytes, name: str = "rows.jsonl", **fields: str) -> Any:
    from django.core.files.uploadedfile import SimpleUploadedFile

    return http.post("/v1/files", {"file": SimpleUploadedFile(name, content), "purpose": "fine-tune"} | fields)


@pytest.mark.parametrize(
    "fields", [{"purpose": "x" * 33}, {"purpose": "a\0"}, {"dataset": "x" * 129}, {"dataset": "a\0b"}], ids=repr
)
def test_an_upload_with_an_impossible_field_is_refused(http: Client, fields: dict[str, str]) -> None:
    error_of(upload(http, jsonl(PROMPTS), **fields), 400)
    assert http.get("/v1/files").json()["data"] == []


@pytest.mark.parametrize(
    "content_type", ["application/json", "multipart/form-data", "multipart/form-data; boundary=x", "text/plain"]
)
def test_an_upload_that_is_no_form_is_refused(http: Client, content_type: str) -> None:
    error_of(http.post("/v1/files", b"{}", content_type=content_type), 400)


@pytest.mark.parametrize(
    "name",
    [
        "größe 数据.jsonl",
        'a"b\\c.jsonl',
        "x" * 400 + ".jsonl",
        "../../etc/passwd",
        ".jsonl",
        "a@2.jsonl",
        "a\0b.jsonl",
        "a\r\nb.jsonl",
    ],
)
def test_a_file_of_any_name_goes_in_and_comes_out(http: Client, name: str) -> None:
    file = upload(http, jsonl(PROMPTS), name).json()
    answer = http.get(f"/v1/files/{file['id']}/content")
    assert b"".join(answer) == jsonl(PROMPTS)
    assert answer["content-disposition"].startswith("attachment")
    assert http.delete(f"/v1/files/{file['id']}").json()["deleted"]


def test_files_are_listed_in_the_order_that_is_asked_for(http: Client) -> None:
    ids = [upload(http, jsonl(PROMPTS)).json()["id"] for _ in range(3)]
    assert [file["id"] for file in http.get("/v1/files?order=asc").json()["data"]] == ids
    assert [file["id"] for file in http.get("/v1/files").json()["data"]] == ids[::-1]
    error_of(http.get("/v1/files?order=sideways"), 400)


def test_readiness_tells_a_stranger_no_address() -> None:
    def away(*_query: object) -> None:
        raise OperationalError("connection to server at 10.1.2.3, user whetstone, failed")

    with connection.execute_wrapper(away):
        answer = Client().get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["checks"]["database"] == "OperationalError"
    assert b"10.1.2.3" not in answer.content


def test_an_answer_without_content_has_no_kind_of_content(http: Client) -> None:
    http.post("/api/v1/evaluators", {"name": "gone", "grader": EXACT}, content_type="application/json")
    answer = http.delete("/api/v1/evaluators/gone")
    assert (answer.status_code, answer.content) == (204, b"")
    assert "Content-Type" not in answer
