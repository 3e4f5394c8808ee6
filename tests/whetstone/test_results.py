"""A job's numbers in OpenAI's form: as events, as a stream, and as a file when it has ended."""

import asyncio
import csv
import io
import json
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import pytest
from django.test import AsyncClient, Client
from django.utils import timezone

from contracts.event import Evaluation, Failed, Metrics, WorkerEvent
from contracts.fault import FaultReport
from tests.whetstone.factories import CHATS, make_dataset, make_job, make_key, make_user
from tests.whetstone.test_claim_and_record import claimed, reports
from whetstone.api.openai.by_grader import by_grader, parts_of
from whetstone.jobs.models import Attempt, Job, ResultFile
from whetstone.jobs.record import ask, record
from whetstone.jobs.retention import contents_needed

pytestmark = pytest.mark.django_db(transaction=True)
END = Failed(fault=FaultReport(code="grader.constant", params={"batches": 2, "score": 0.0}))
REWARDS: tuple[WorkerEvent, ...] = (
    Evaluation(step=0, values={"reward_mean": 0.1, "not_scored": 0.25}),
    Metrics(step=1, values={"reward": 0.2, "completions/mean_length": 7.0, "step_time": 1.5}),
    Metrics(step=2, values={"reward": 0.4, "completions/mean_length": 6.0, "step_time": 1.0}),
    Evaluation(step=2, values={"reward_mean": 0.3}),
)


def bearer(name: str = "ada") -> dict[str, str]:
    return {"authorization": f"Bearer {make_key(make_user(name))}"}


def told(job: Job, events: Iterable[WorkerEvent]) -> Job:
    record(job.id, claimed().token, reports(*events))
    return job


def rows(text: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text.decode())))


def content(http: Client, file: str) -> bytes:
    return b"".join(http.get(f"/v1/files/{file}/content"))


def test_a_job_that_has_ended_leaves_its_numbers_as_a_file() -> None:
    job, http = told(make_job(), (*REWARDS, END)), Client(headers=bearer())
    (file,) = http.get(f"/v1/fine_tuning/jobs/{job.id}").json()["result_files"]
    shown = http.get(f"/v1/files/{file}").json()
    assert (shown["purpose"], shown["filename"], shown["job"]) == ("fine-tune-results", "step_metrics.csv", job.id)
    text = content(http, file)
    assert len(text) == shown["bytes"]
    assert text.splitlines()[0] == (
        b"step,train_mean_reward,full_valid_mean_reward,completion_tokens_mean,mean_unresponsive_rewards,"
        b"reasoning_tokens_mean,sampling_duration,training_duration,eval_duration,total_duration"
    )
    found = rows(text)
    assert [(row["step"], row["train_mean_reward"], row["full_valid_mean_reward"]) for row in found] == [
        ("0", "", "0.1"),
        ("1", "0.2", ""),
        ("2", "0.4", "0.3"),
    ]
    assert found[1]["total_duration"] == "1.5"


def test_a_supervised_job_s_file_has_losses() -> None:
    make_dataset(CHATS, name="chats")
    job = make_job(method={"type": "supervised"}, training_file="chats")
    step = Metrics(step=1, values={"loss": 2.0, "mean_token_accuracy": 0.5})
    held_out = Evaluation(step=1, values={"loss": 1.5, "token_accuracy": 0.6})
    told(job, (step, held_out, END))
    http = Client(headers=bearer())
    (file,) = http.get(f"/v1/fine_tuning/jobs/{job.id}").json()["result_files"]
    assert rows(content(http, file)) == [
        {"step": "1", "train_loss": "2.0", "train_mean_token_accuracy": "0.5"}
        | {"valid_loss": "1.5", "valid_mean_token_accuracy": "0.6"}
        | {"full_valid_loss": "1.5", "full_valid_mean_token_accuracy": "0.6"}
    ]


def test_the_file_is_there_as_soon_as_the_job_has_ended() -> None:
    told(make_job(), (*REWARDS, END))
    assert ResultFile.objects.count() == 1


def test_a_file_that_a_crash_kept_from_being_made_is_made_when_somebody_asks() -> None:
    job, http = told(make_job(), (*REWARDS, END)), Client(headers=bearer())
    ResultFile.objects.all().delete()
    assert len(http.get(f"/v1/fine_tuning/jobs/{job.id}").json()["result_files"]) == 1
    assert ResultFile.objects.count() == 1


def test_a_job_that_told_no_number_has_no_file() -> None:
    job = make_job()
    ask(job.id, Job.Wish.CANCEL)
    assert Client(headers=bearer()).get(f"/v1/fine_tuning/jobs/{job.id}").json()["result_files"] == []
    assert not ResultFile.objects.exists()


def test_a_file_that_was_deleted_does_not_come_back() -> None:
    job, http = told(make_job(), (*REWARDS, END)), Client(headers=bearer())
    (file,) = http.get(f"/v1/fine_tuning/jobs/{job.id}").json()["result_files"]
    assert http.delete(f"/v1/files/{file}").json() == {"id": file, "object": "file", "deleted": True}
    assert http.get(f"/v1/fine_tuning/jobs/{job.id}").json()["result_files"] == []
    assert http.get(f"/v1/files/{file}").status_code == 404
    assert http.get("/v1/files?purpose=fine-tune-results").json()["data"] == []


def test_housekeeping_leaves_result_files_alone() -> None:
    told(make_job(), (*REWARDS, END))
    blob = ResultFile.objects.get().blob
    assert blob
    assert (blob.team_id, blob.sha256) in contents_needed()


def test_another_team_does_not_see_them() -> None:
    told(make_job(), (*REWARDS, END))
    eve = Client(headers=bearer("eve"))
    file = ResultFile.objects.get().id
    assert eve.get("/v1/files").json()["data"] == []
    assert eve.get(f"/v1/files/{file}/content").status_code == 404
    assert eve.delete(f"/v1/files/{file}").status_code == 404
    assert ResultFile.objects.get().blob is not None


def test_files_of_both_kinds_are_listed_in_one_order() -> None:
    http = Client(headers=bearer())
    wanted = []
    for n in range(3):
        wanted.append(make_dataset(name=f"rows-{n}").id)
        told(make_job(training_file=f"rows-{n}"), (Metrics(step=1, values={"reward": float(n)}), END))
        wanted.append(ResultFile.objects.latest("created_at").id)
    sums = make_dataset().id  # the factory's own stands between them
    for order, expected in (("asc", wanted), ("desc", wanted[::-1])):
        seen: list[str] = []
        after = ""
        while True:
            body = http.get(f"/v1/files?order={order}&limit=2{after}").json()
            seen += [file["id"] for file in body["data"]]
            if not body["has_more"]:
                break
            after = f"&after={seen[-1]}"
        assert [one for one in seen if one in expected] == expected
        assert len(seen) == len(set(seen))
        assert sums in seen
    only = http.get("/v1/files?purpose=fine-tune-results").json()["data"]
    assert {file["purpose"] for file in only} == {"fine-tune-results"}
    assert len(only) == 3


def test_metrics_stand_under_openai_s_names_and_under_ours() -> None:
    job = told(make_job(), REWARDS)
    events = Client(headers=bearer()).get(f"/v1/fine_tuning/jobs/{job.id}/events?limit=100").json()["data"]
    by_step = {event["data"]["step"]: event["data"] for event in events if event["type"] == "metrics"}
    second = by_step[2]
    assert (second["train_mean_reward"], second["full_valid_mean_reward"]) == (0.4, 0.3)
    assert second["total_steps"] == job.total_steps
    assert second["scores"] | {"graders": []} == {"train_reward_mean": 0.4, "valid_reward_mean": 0.3, "graders": []}
    assert second["timing"]["step"]["full_iteration"] == 1.0
    assert second["reasoning_tokens_mean"] is None
    assert by_step[0]["full_valid_mean_parse_error"] == 0.25
    assert by_step[1]["full_valid_mean_reward"] is None, "nothing was evaluated at this step"
    assert by_step[1]["values"]["reward"] == 0.2


def test_a_page_of_one_event_knows_of_its_step_what_the_whole_list_knows() -> None:
    job, http = told(make_job(), REWARDS), Client(headers=bearer())
    path = f"/v1/fine_tuning/jobs/{job.id}/events"
    whole = http.get(f"{path}?limit=100").json()["data"]
    alone = [http.get(f"{path}?limit=1&after={before['id']}").json()["data"] for before in whole[:-1]]
    assert alone == [[event] for event in whole[1:]]


def test_each_grader_is_told_under_openai_s_names() -> None:
    parts = {"format": {"type": "json_schema"}, "taste": {"type": "score_model", "model": "large"}}
    whole = {"type": "multi", "graders": parts | {"off": {"type": "python"}}, "disabled": ["off"]}
    trained = {
        "graded": 8.0,
        "reward": 0.5,
        "grades/format": 0.75,
        "grades/taste": 0.25,
        "errors/format/sample_parse_error": 2.0,
        "judges/taste/prompt_tokens": 80.0,
        "grading_s/taste": 0.5,
    }
    found = by_grader(parts_of(whole), trained, {"reward_mean": 0.6, "grades/taste": 0.3})
    assert found["scores"]["graders"] == [
        {"name": "format", "type": "json_schema", "train_reward_mean": 0.75, "valid_reward_mean": None},
        {"name": "taste", "type": "score_model", "train_reward_mean": 0.25, "valid_reward_mean": 0.3},
    ]
    form, taste = found["errors"]["graders"]
    assert (form["train_sample_parse_error_count"], form["train_sample_parse_error_mean"]) == (2, 0.25)
    assert (form["train_other_error_count"], form["valid_other_error_count"]) == (0, None), (
        "nobody counted held-out rows"
    )
    assert taste["train_model_grader_server_error_mean"] == 0
    assert "train_python_grader_runtime_error_mean" not in taste
    (usage,) = found["usage"]["graders"]
    assert (usage["model"], usage["train_prompt_tokens_count"], usage["train_prompt_tokens_mean"]) == ("large", 80, 10)
    assert usage["valid_completion_tokens_count"] is None
    assert found["model_graders_token_usage"]["large"]["train_prompt_tokens"] == 80
    assert found["timing"]["graders"][1]["train_execution_latency_mean"] == 0.5


def test_a_grader_alone_has_the_reward_before_the_penalty_for_length() -> None:
    trained = {"reward": 0.4, "score_mean": 0.5}
    (only,) = by_grader(parts_of({"type": "number", "name": ""}), trained, {})["scores"]["graders"]
    assert only == {"name": "number", "type": "number", "train_reward_mean": 0.5, "valid_reward_mean": None}


def test_events_are_streamed_until_the_job_has_ended() -> None:
    job = told(make_job(), (*REWARDS, END))

    async def read() -> list[str]:
        path = f"/v1/fine_tuning/jobs/{job.id}/events?stream=true&limit=1"
        answer = await AsyncClient().get(path, headers=shown)
        assert answer["content-type"] == "text/event-stream", answer.content
        whole = b"".join([chunk async for chunk in answer])  # type: ignore[attr-defined]  # a stream
        return whole.decode().removesuffix("\n\n").split("\n\n")

    shown = bearer()
    lines = asyncio.run(read())
    assert lines[-1] == "data: [DONE]"
    events: list[dict[str, Any]] = [json.loads(line.removeprefix("data: ")) for line in lines[:-1]]
    assert events[0]["message"] == "The job is queued."
    assert [event["object"] for event in events] == ["fine_tuning.job.event"] * len(events)
    assert [event["data"]["step"] for event in events if event["type"] == "metrics"] == [0, 1, 2, 2]
    assert events[-1]["message"].startswith("The job is failed.")


def test_a_running_job_says_when_it_will_be_done() -> None:
    job, http = told(make_job(), REWARDS[:3]), Client(headers=bearer())
    Job.objects.filter(id=job.id).update(total_steps=10)
    Attempt.objects.update(started_at=timezone.now() - timedelta(seconds=20))
    ends = http.get(f"/v1/fine_tuning/jobs/{job.id}").json()["estimated_finish"]
    assert abs(ends - (timezone.now().timestamp() + 80)) < 5, "two of ten steps took 20 seconds"
    told_end = make_job()
    assert http.get(f"/v1/fine_tuning/jobs/{told_end.id}").json()["estimated_finish"] is None


DRAFT = {"model": "tiny", "training_file": "sums"}
EXACT = {"type": "string_check", "name": "e", "operation": "eq", "input": "{{sample.output_text}}", "reference": "4"}


def post(body: dict[str, Any]) -> Any:
    return Client(headers=bearer()).post("/v1/fine_tuning/jobs", body, content_type="application/json")


@pytest.mark.parametrize(
    ("fields", "hyperparameters", "param", "right"),
    [
        ({"test_file": "x"}, {}, "test_file", "“validation_file”"),
        ({}, {"etest_samples": 2}, "method.reinforcement.hyperparameters.etest_samples", "“eval_samples”"),
        ({"validaton_file": "x"}, {}, "validaton_file", "“validation_file”"),
        ({}, {"temprature": 1}, "method.reinforcement.hyperparameters.temprature", "“temperature”"),
        ({}, {"reasoning_effort": "high"}, "method.reinforcement.hyperparameters.reasoning_effort", "leave it out"),
        ({"qqqqq": 1}, {}, "qqqqq", "There is no field “qqqqq” here."),
    ],
)
def test_a_wrong_name_is_answered_with_the_right_one(
    fields: dict[str, Any], hyperparameters: dict[str, Any], param: str, right: str
) -> None:
    block = {"grader": EXACT, "hyperparameters": hyperparameters}
    answer = post(DRAFT | {"method": {"type": "reinforcement", "reinforcement": block}} | fields)
    assert answer.status_code == 400
    assert answer.json()["error"]["param"] == param
    assert right in answer.json()["error"]["message"]


def test_what_openai_s_examples_say_without_meaning_anything_is_taken() -> None:
    make_job()
    numbers = {"reasoning_effort": "default", "compute_multiplier": "auto", "n_epochs": "auto"}
    block = {"grader": EXACT, "response_format": None, "hyperparameters": numbers}
    wandb = [{"type": "wandb", "wandb": {"project": "sums", "tags": ["a"]}}]
    answer = post(DRAFT | {"method": {"type": "reinforcement", "reinforcement": block}, "integrations": wandb})
    assert answer.status_code == 200, answer.content
    assert answer.json()["integrations"] == wandb
    newest = Job.objects.latest("created_at").events.latest("number")
    assert newest.data["text"] == "Metrics stay on this platform: nothing is sent to wandb."


def test_a_check_warns_that_nothing_is_sent_to_others() -> None:
    make_job()
    block = {"type": "reinforcement", "reinforcement": {"grader": EXACT}}
    body = DRAFT | {"method": block, "integrations": [{"type": "wandb", "wandb": {"project": "sums"}}]}
    answer = Client(headers=bearer()).post("/api/v1/jobs/check", body, content_type="application/json").json()
    assert answer["ready"] is True
    assert [warning["code"] for warning in answer["warnings"]] == ["job.integration_ignored"]


def test_a_list_asks_the_database_as_often_for_many_as_for_one(django_assert_max_num_queries: Any) -> None:
    for _ in range(5):
        told(make_job(), (*REWARDS, END))
    http = Client(headers=bearer())
    with django_assert_max_num_queries(6):
        listed = http.get("/v1/fine_tuning/jobs").json()["data"]
    assert all(job["result_files"] for job in listed)
