"""The REST surfaces: OpenAI's form under /v1, ours under /api/v1, and one envelope for everything that goes wrong."""

import json
from typing import Any

import pytest
from django.test import Client

from tests.whetstone.factories import (
    CHATS,
    EXACT,
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
from whetstone.accounts.models import ApiKey
from whetstone.datasets.models import DatasetVersion
from whetstone.jobs.claim import claim
from whetstone.jobs.models import Job
from whetstone.operations.seed import blank_model
from whetstone.starter import model as starter


class Api:
    """A client with a key, as a script has it."""

    def __init__(self, key: str) -> None:
        self.http = Client(headers={"authorization": f"Bearer {key}"}, raise_request_exception=False)

    def post(self, path: str, body: object) -> tuple[int, dict[str, Any]]:
        answer = self.http.post(path, json.dumps(body), content_type="application/json")
        return answer.status_code, answer.json()

    def get(self, path: str) -> tuple[int, dict[str, Any]]:
        answer = self.http.get(path)
        return answer.status_code, answer.json()

    def upload(self, content: bytes, name: str = "rows.jsonl") -> tuple[int, dict[str, Any]]:
        from django.core.files.uploadedfile import SimpleUploadedFile

        file = SimpleUploadedFile(name, content)
        answer = self.http.post("/v1/files", {"file": file, "purpose": "fine-tune"})
        return answer.status_code, answer.json()


@pytest.fixture
def api() -> Api:
    return Api(make_key())


def draft(**fields: Any) -> dict[str, Any]:
    return {"model": "tiny", "training_file": "sums", "method": {"type": "grpo", "grpo": {"grader": EXACT}}} | fields


def test_an_uploaded_file_is_a_dataset(api: Api) -> None:
    status, file = api.upload(jsonl(PROMPTS), "sums.jsonl")
    assert status == 200
    assert (file["object"], file["purpose"], file["shape"]) == ("file", "fine-tune", "prompt")
    assert api.get(f"/v1/files/{file['id']}")[1] == file
    assert api.get("/v1/files")[1]["data"] == [file]
    assert file["dataset"] == "sums@1"


def test_a_broken_upload_names_the_line(api: Api) -> None:
    status, body = api.upload(b'{"a": 1}\n{oops\n')
    assert status == 400
    assert body["error"]["code"] == "dataset.broken_line"
    assert body["error"]["message"].startswith("Line 2:")
    assert body["error"]["next_step"]


def test_a_job_is_created_in_openai_s_form(api: Api) -> None:
    make_model()
    file = api.upload(jsonl(PROMPTS), "sums.jsonl")[1]
    status, job = api.post("/v1/fine_tuning/jobs", draft(training_file=file["id"], seed=7, metadata={"suite": "a"}))
    assert status == 200
    assert (job["object"], job["status"], job["seed"]) == ("fine_tuning.job", "queued", 7)
    assert job["resolved_method"]["grpo"]["hyperparameters"]["batch_size"] == 16
    assert api.get("/v1/fine_tuning/jobs?metadata[suite]=a")[1]["data"][0]["id"] == job["id"]
    assert api.get("/v1/fine_tuning/jobs?metadata[suite]=b")[1]["data"] == []


@pytest.mark.parametrize(
    ("method", "canonical"),
    [
        ({"type": "reinforcement", "reinforcement": {"grader": EXACT}}, "grpo"),
        ({"type": "grpo", "grpo": {"grader": EXACT, "lora": {"rank": 4}}}, "grpo"),
        ({"type": "supervised"}, "full"),
        ({"type": "supervised", "supervised": {"lora": {}}}, "lora"),
        ({"type": "lora"}, "lora"),
    ],
)
def test_openai_s_names_of_methods_lead_to_ours(api: Api, method: dict[str, Any], canonical: str) -> None:
    make_model()
    make_dataset(CHATS)
    assert Job.objects.get(id=api.post("/v1/fine_tuning/jobs", draft(method=method))[1]["id"]).method == canonical


@pytest.mark.parametrize(
    ("fields", "param", "code"),
    [
        ({"model": "nobody"}, "model", "model.not_found"),
        ({"training_file": "file-x"}, "training_file", "dataset.not_found"),
        ({"method": {"type": "grpo"}}, "method.grpo.evaluator", "evaluator.missing"),
        ({"method": {"type": "grpo", "grpo": {"evaluator": "x@1"}}}, "method.grpo.evaluator", "evaluator.not_found"),
        ({"method": {"type": "full"}}, "training_file", "dataset.wrong_shape"),
        ({"resources": {"pool": "h100"}}, "resources.pool", "pool.not_found"),
    ],
)
def test_a_draft_that_names_what_is_not_there_is_refused(
    api: Api, fields: dict[str, Any], param: str, code: str
) -> None:
    make_model()
    make_dataset()
    _status, body = api.post("/v1/fine_tuning/jobs", draft(**fields))
    assert (body["error"]["param"], body["error"]["code"]) == (param, code)
    assert not Job.objects.exists()


@pytest.mark.parametrize(
    ("hyperparameters", "param"),
    [
        ({"batch_size": 0}, "method.grpo.hyperparameters.batch_size"),
        ({"temprature": 1}, "method.grpo.hyperparameters.temprature"),
        ({"loss_type": "x"}, "method.grpo.hyperparameters.loss_type"),
    ],
)
def test_a_wrong_hyperparameter_is_named_by_its_path(api: Api, hyperparameters: dict[str, Any], param: str) -> None:
    method = {"type": "grpo", "grpo": {"grader": EXACT, "hyperparameters": hyperparameters}}
    status, body = api.post("/v1/fine_tuning/jobs", draft(method=method))
    assert status == 400
    assert body["error"]["param"] == param


def test_an_evaluator_that_reads_a_missing_column_is_refused_before_the_job_is_queued(api: Api) -> None:
    make_model()
    make_dataset()
    grader = EXACT | {"reference": "{{ item.solution }}"}
    _status, body = api.post("/v1/fine_tuning/jobs", draft(method={"type": "grpo", "grpo": {"grader": grader}}))
    assert body["error"]["code"] == "evaluator.column_missing"
    assert "answer" in body["error"]["message"]
    assert not Job.objects.exists()


def test_an_evaluator_is_pinned_to_the_version_it_had(api: Api) -> None:
    make_model()
    make_dataset()
    api.post("/api/v1/evaluators", {"name": "exact", "grader": EXACT})
    job = api.post("/v1/fine_tuning/jobs", draft(method={"type": "grpo", "grpo": {"evaluator": "exact"}}))[1]
    second = api.post("/api/v1/evaluators", {"name": "exact", "grader": EXACT | {"operation": "like"}})[1]
    assert second["ref"] == "exact@2"
    assert api.get(f"/v1/fine_tuning/jobs/{job['id']}")[1]["evaluator"] == "exact@1"


def test_saving_the_same_grader_again_makes_no_new_version(api: Api) -> None:
    for _ in range(2):
        assert api.post("/api/v1/evaluators", {"name": "exact", "grader": EXACT})[1]["ref"] == "exact@1"


def test_the_check_of_a_draft_says_everything_that_is_missing_at_once(api: Api) -> None:
    _status, body = api.post("/api/v1/jobs/check", draft(model="nobody", training_file="file-x"))
    assert not body["ready"]
    assert [problem["param"] for problem in body["problems"]] == ["model", "training_file"]
    make_model()
    make_dataset()
    assert not Job.objects.exists()
    _status, body = api.post("/api/v1/jobs/check", draft())
    assert body["ready"]
    assert body["preview"] | {"changed": 0} == {
        "method": "grpo",
        "model": "tiny",
        "rows": 20,
        "held_out_rows": None,
        "steps": 1,
        "memory_gb": None,
        "memory_error": None,
        "memory_jobs": 0,
        "time": None,
        "cost": None,
        "pool": "cpu",
        "pool_memory_gb": None,
        "fit": None,
        "changed": 0,
    }


def test_the_check_of_a_draft_says_about_how_much_memory_it_needs(api: Api) -> None:
    make_dataset()
    model = make_model()
    model.config, model.parameters = starter.CONFIG, 500_000_000
    model.save()
    _status, body = api.post("/api/v1/jobs/check", draft())
    assert 16 * 0.5 < body["preview"]["memory_gb"] < 20, "weights, gradients and two moments, and some more"


def test_another_team_s_things_are_not_there(api: Api) -> None:
    job, file = make_job(), make_dataset(name="secret")
    stranger = Api(make_key(make_user("eve")))
    for path in (
        f"/v1/fine_tuning/jobs/{job.id}",
        f"/v1/fine_tuning/jobs/{job.id}/events",
        f"/v1/files/{file.id}",
        f"/v1/files/{file.id}/content",
        "/v1/models/tiny",
        f"/api/v1/datasets/{file.id}/rows",
        f"/api/v1/jobs/{job.id}/series",
        f"/api/v1/jobs/{job.id}/rollouts",
        f"/api/v1/jobs/{job.id}/live",
    ):
        status, body = stranger.get(path)
        assert status in (400, 404), path
        assert body["error"]["code"].endswith("not_found"), path
    assert stranger.get("/v1/fine_tuning/jobs")[1]["data"] == []
    assert stranger.post(f"/v1/fine_tuning/jobs/{job.id}/cancel", {})[0] == 404


@pytest.mark.parametrize("key", ["", "wk-wrong"])
def test_nothing_is_answered_without_a_key(key: str) -> None:
    http = Client(headers={"authorization": f"Bearer {key}"} if key else {})
    answer = http.get("/v1/fine_tuning/jobs")
    assert answer.status_code == 401
    assert answer.json()["error"]["code"] in ("auth.missing", "auth.invalid")


def test_a_revoked_key_is_refused_at_once(api: Api) -> None:
    from django.utils import timezone

    assert api.get("/v1/models")[0] == 200
    ApiKey.objects.update(revoked_at=timezone.now())
    assert api.get("/v1/models")[0] == 401


def test_every_answer_names_its_request(api: Api) -> None:
    for path in ("/healthz", "/v1/models", "/v1/nothing", "/v1/fine_tuning/jobs/ftjob-x"):
        assert api.http.get(path)["x-request-id"]


def test_lists_are_paged_to_their_end_without_loss_or_repeat(api: Api) -> None:
    wanted = [make_job().id for _ in range(7)][::-1]
    seen: list[str] = []
    after = ""
    while True:
        body = api.get(f"/v1/fine_tuning/jobs?limit=3{after}")[1]
        seen += [job["id"] for job in body["data"]]
        if not body["has_more"]:
            break
        after = f"&after={seen[-1]}"
    assert seen == wanted


def test_a_dataset_in_use_is_not_deleted(api: Api) -> None:
    job = make_job()
    answer = api.http.delete(f"/v1/files/{job.training_id}")
    assert answer.status_code == 400
    assert job.id in answer.json()["error"]["message"]
    spare = make_dataset(name="spare")
    assert api.http.delete(f"/v1/files/{spare.id}").json()["deleted"]


def test_a_grader_is_tried_on_rows_of_a_dataset(api: Api) -> None:
    rows = [row | {"reference": row["answer"]} for row in PROMPTS]
    version = make_dataset(rows)
    grades = api.post("/api/v1/graders/try", {"grader": EXACT, "dataset": version.id, "limit": 3})[1]["grades"]
    assert [one["grade"]["score"] for one in grades] == [1.0, 1.0, 1.0]
    summary = api.post("/api/v1/graders/try", {"grader": EXACT, "dataset": version.id, "limit": 3})[1]["summary"]
    assert (summary["count"], summary["mean"], summary["distinct"]) == (3, 1, 1)
    own = {"grader": EXACT, "samples": [{"output_text": "4"}], "items": [{"answer": "5"}]}
    assert api.post("/api/v1/graders/try", own)[1]["grades"][0]["grade"]["score"] == 0.0


def test_a_malformed_grader_is_answered_with_the_place(api: Api) -> None:
    status, body = api.post("/api/v1/graders/check", {"grader": EXACT | {"operation": "contains"}})
    assert status == 422
    assert body["errors"][0]["path"] == "operation"


def claimed_by(worker: str) -> str:
    found = claim(worker, "cpu")
    assert found is not None
    return found.token


def test_a_supervised_job_shows_its_numbers_where_openai_had_them(api: Api) -> None:
    make_model()
    make_dataset(CHATS)
    job = api.post("/v1/fine_tuning/jobs", {"model": "tiny", "training_file": "sums"})[1]
    assert job["hyperparameters"] == {"n_epochs": 3, "batch_size": 8, "learning_rate_multiplier": 1.0}


def test_a_job_shows_that_somebody_wants_it_cancelled(api: Api) -> None:
    job = make_job()
    claimed_by("w1")
    answer = api.post(f"/v1/fine_tuning/jobs/{job.id}/cancel", {})[1]
    assert (answer["status"], answer["wish"]) == ("running", "cancel")


def test_a_split_is_made_by_a_script_and_can_be_made_again(api: Api) -> None:
    whole = make_dataset(CHATS)
    status, made = api.post(f"/api/v1/datasets/{whole.id}/split", {"rows": 5})
    assert status == 200
    assert (made["training"]["rows"], made["held_out"]["rows"]) == (15, 5)
    assert made["held_out"]["ref"] == "sums-held-out@1"
    again = api.post("/api/v1/datasets/sums/split", {"share": made["share"]})[1]
    assert again["held_out"]["rows"] == 5
    for part in (made, again):
        assert api.http.delete(f"/v1/files/{part['held_out']['id']}").status_code == 200


@pytest.mark.parametrize("body", [{}, {"share": 0.1, "rows": 2}, {"share": 1.5}, {"rows": 0}])
def test_a_split_needs_one_amount(api: Api, body: dict[str, Any]) -> None:
    make_dataset(CHATS)
    status, answer = api.post("/api/v1/datasets/sums/split", body)
    assert status == 400
    assert answer["error"]["message"]
    assert DatasetVersion.objects.count() == 1


def test_the_check_warns_of_held_out_rows_that_are_trained_on(api: Api) -> None:
    make_model()
    make_dataset(PAIRS)
    method = {"type": "kto"}
    answer = api.post("/api/v1/jobs/check", draft(method=method, validation_file="sums@1"))[1]
    assert answer["ready"] is True
    assert [warning["code"] for warning in answer["warnings"]] == ["dataset.held_out_is_training"]
    assert answer["preview"]["rows"] == 40


def test_rows_are_measured_in_tokens_of_a_model(api: Api) -> None:
    user = make_user()
    blank_model(user, make_team(user))
    long_row = {"messages": [{"role": "user", "content": "9" * 3000}, {"role": "assistant", "content": "1"}]}
    make_dataset([*CHATS, long_row])
    found = api.get("/api/v1/datasets/sums/tokens?model=starter-blank")[1]
    assert (found["rows"], found["over"]) == (21, 1)
    assert found["longest"] == 3000 + len("\n1")
    make_model()
    assert api.get("/api/v1/datasets/sums/tokens?model=tiny")[1] == {}


def test_a_long_file_is_measured_at_places_spread_over_it(api: Api) -> None:
    user = make_user()
    blank_model(user, make_team(user))
    make_dataset([{"prompt": "1" * (n // 100)} for n in range(100, 5000)])
    found = api.get("/api/v1/datasets/sums/tokens?model=starter-blank")[1]
    assert found["rows"] == 20 * 50
    assert found["median"] < found["p95"] < found["longest"] < 50
