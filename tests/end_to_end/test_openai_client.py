"""The official `openai` client against a running platform: what CI pipelines already speak."""

import hashlib
from collections.abc import Iterator

import httpx
import openai
import openai.types.fine_tuning
import orjson
import pytest

from tests.end_to_end.laptop import USER, Laptop, until
from tests.end_to_end.test_laptop import LENIENT, QUESTIONS

pytestmark = pytest.mark.end_to_end

ROWS = b"".join(orjson.dumps(row) + b"\n" for row in QUESTIONS)


@pytest.fixture(scope="module")
def client(laptop: Laptop) -> Iterator[openai.OpenAI]:
    key = laptop.manage("createkey", "--user", USER)
    with openai.OpenAI(api_key=key, base_url=f"{laptop.url}/v1", max_retries=0) as speaking:
        yield speaking


def method(**hyperparameters: object) -> dict[str, object]:
    sampling = {"num_generations": 4, "batch_size": 4, "max_completion_length": 8} | hyperparameters
    return {"type": "reinforcement", "reinforcement": {"grader": LENIENT, "hyperparameters": sampling}}


def test_files_are_created_listed_read_and_deleted(client: openai.OpenAI) -> None:
    file = client.files.create(file=("größe.jsonl", ROWS), purpose="fine-tune")
    assert (file.object, file.bytes, file.filename, file.purpose) == ("file", len(ROWS), "größe.jsonl", "fine-tune")
    assert client.files.wait_for_processing(file.id, poll_interval=0.1).status == "processed"
    assert client.files.retrieve(file.id) == file
    assert client.files.content(file.id).read() == ROWS
    more = [client.files.create(file=ROWS, purpose="fine-tune").id for _ in range(3)]
    seen = [one.id for one in client.files.list(limit=2, purpose="fine-tune")]
    assert seen[:4] == [*more[::-1], file.id]
    assert len(seen) == len(set(seen))
    assert client.files.list(order="asc", limit=1).data[0].id == seen[-1]
    for file_id in [*more, file.id]:
        assert client.files.delete(file_id).deleted
    with pytest.raises(openai.NotFoundError) as caught:
        client.files.retrieve(file.id)
    assert caught.value.code == "dataset.not_found"
    assert caught.value.request_id


def test_a_large_file_comes_in_parts(client: openai.OpenAI) -> None:
    content = ROWS * 3
    done = client.uploads.upload_file_chunked(
        file=content,
        filename="parts.jsonl",
        bytes=len(content),
        mime_type="application/jsonl",
        purpose="fine-tune",
        part_size=len(ROWS),
        md5=hashlib.md5(content).hexdigest(),
    )
    assert done.status == "completed"
    assert done.file is not None
    assert client.files.content(done.file.id).read() == content
    begun = client.uploads.create(bytes=1, filename="x.jsonl", mime_type="application/jsonl", purpose="fine-tune")
    assert client.uploads.cancel(begun.id).status == "cancelled"
    with pytest.raises(openai.BadRequestError) as caught:
        client.uploads.parts.create(begun.id, data=b"x")
    assert caught.value.code == "upload.not_pending"


def test_a_file_lasts_as_long_as_was_said(client: openai.OpenAI) -> None:
    file = client.files.create(
        file=("short.jsonl", ROWS), purpose="evals", expires_after={"anchor": "created_at", "seconds": 7200}
    )
    assert file.expires_at is not None
    assert abs(file.expires_at - file.created_at - 7200) <= 1


def test_a_job_is_created_watched_and_its_model_found(client: openai.OpenAI, api: httpx.Client) -> None:
    file = client.files.create(file=("openai.jsonl", ROWS), purpose="fine-tune")
    job = client.fine_tuning.jobs.create(
        model="starter-blank",
        training_file=file.id,
        method=method(max_steps=4, checkpoint_interval=2),  # type: ignore[arg-type]  # more than OpenAI has words for
        suffix="from-openai",
        metadata={"suite": "a__b", "1": "one"},
        seed=7,
        extra_body={"resources": {"pool": "cpu"}},
    )
    assert (job.object, job.status, job.seed, job.training_file) == ("fine_tuning.job", "queued", 7, file.id)
    assert job.method is not None
    assert job.method.type == "reinforcement"
    assert [one.id for one in client.fine_tuning.jobs.list(metadata={"suite": "a__b", "1": "one"})] == [job.id]
    assert client.fine_tuning.jobs.list(metadata={"suite": "b"}).data == []
    assert until(api, job.id)["status"] == "succeeded"
    done = client.fine_tuning.jobs.retrieve(job.id)
    assert done.fine_tuned_model is not None
    assert done.trained_tokens
    assert client.models.retrieve(done.fine_tuned_model).id == done.fine_tuned_model
    assert done.fine_tuned_model in [model.id for model in client.models.list()]
    told = list(client.fine_tuning.jobs.list_events(job.id, limit=3))
    assert [event.message for event in told][-1] == "The job is queued."
    assert len({event.id for event in told}) == len(told)
    assert all(event.message for event in told)
    steps = [one.step_number for one in client.fine_tuning.jobs.checkpoints.list(job.id, limit=1)]
    assert steps == [4, 2]
    newest = client.fine_tuning.jobs.checkpoints.list(job.id, limit=1).data[0].fine_tuned_model_checkpoint
    assert client.models.retrieve(newest).id == newest
    assert client.fine_tuning.checkpoints.permissions.list(newest).data == []
    with pytest.raises(openai.BadRequestError) as caught:
        client.models.delete("starter-blank")
    assert caught.value.code == "model.in_use"
    with pytest.raises(openai.BadRequestError) as caught:
        client.fine_tuning.jobs.cancel(job.id)
    assert caught.value.code == "job.already_ended"
    (result,) = done.result_files
    assert client.files.retrieve(result).purpose == "fine-tune-results"
    lines = client.files.content(result).text.splitlines()
    assert lines[0].startswith("step,train_mean_reward,full_valid_mean_reward,")
    assert [line.split(",")[0] for line in lines[1:]] == ["1", "2", "3", "4"]
    metrics = [event for event in client.fine_tuning.jobs.list_events(job.id) if event.type == "metrics"]
    numbers = metrics[0].data
    assert isinstance(numbers, dict)
    assert (numbers["step"], numbers["total_steps"]) == (4, 4)
    assert numbers["train_mean_reward"] is not None


def test_events_are_streamed_in_the_client_s_own_form(client: openai.OpenAI) -> None:
    file = client.files.create(file=("openai.jsonl", ROWS), purpose="fine-tune")
    short = method(max_steps=2)
    job = client.fine_tuning.jobs.create(model="starter-blank", training_file=file.id, method=short)  # type: ignore[arg-type]
    stream = client.get(
        f"/fine_tuning/jobs/{job.id}/events",
        cast_to=openai.types.fine_tuning.FineTuningJobEvent,
        options={"params": {"stream": "true"}},
        stream=True,
        stream_cls=openai.Stream[openai.types.fine_tuning.FineTuningJobEvent],
    )
    told = list(stream)
    assert told[0].message == "The job is queued."
    assert told[-1].message == "The job is succeeded."
    assert len({event.id for event in told}) == len(told)


def test_a_job_is_paused_resumed_and_cancelled(client: openai.OpenAI, api: httpx.Client) -> None:
    file = client.files.create(file=("openai.jsonl", ROWS), purpose="fine-tune")
    long = method(max_steps=500, n_epochs=50, max_completion_length=64)
    job = client.fine_tuning.jobs.create(model="starter-blank", training_file=file.id, method=long)  # type: ignore[arg-type]
    until(api, job.id, status=("running",), step=1)
    client.fine_tuning.jobs.pause(job.id)
    until(api, job.id, status=("paused",))
    assert client.fine_tuning.jobs.resume(job.id).status == "queued"
    client.fine_tuning.jobs.cancel(job.id)
    assert until(api, job.id)["status"] == "cancelled"


def test_errors_arrive_as_the_client_s_own_classes(client: openai.OpenAI) -> None:
    with pytest.raises(openai.NotFoundError):
        client.models.retrieve("org/no model%:x")
    with pytest.raises(openai.NotFoundError):
        client.fine_tuning.jobs.retrieve("ftjob-x")
    with pytest.raises(openai.NotFoundError):
        client.embeddings.create(model="x", input="y")
    with pytest.raises(openai.BadRequestError) as caught:
        client.fine_tuning.jobs.create(model="nobody", training_file="file-x")
    assert (caught.value.param, caught.value.code) == ("model", "model.not_found")
    with pytest.raises(openai.BadRequestError) as caught:
        client.files.create(file=b'{"a": 1}\n{', purpose="fine-tune")
    assert caught.value.message.count("Line 2")
    with pytest.raises(openai.AuthenticationError):
        client.with_options(api_key="wk-wrong").models.list()


def test_a_client_for_azure_is_let_in(laptop: Laptop) -> None:
    key = laptop.manage("createkey", "--user", USER, "--scopes", "read")
    url = f"{laptop.url}/v1"
    with openai.AzureOpenAI(api_key=key, base_url=url, api_version="2025-04-01-preview", max_retries=0) as azure:
        assert azure.models.retrieve("starter-blank").id == "starter-blank"


def test_a_key_that_only_reads_is_refused_with_the_scope_it_lacks(laptop: Laptop) -> None:
    key = laptop.manage("createkey", "--user", USER, "--scopes", "read", "--expires-days", "1")
    with openai.OpenAI(api_key=key, base_url=f"{laptop.url}/v1", max_retries=0) as reader:
        assert reader.fine_tuning.jobs.list(limit=1).has_more in (True, False)
        with pytest.raises(openai.PermissionDeniedError) as caught:
            reader.files.create(file=ROWS, purpose="fine-tune")
    assert caught.value.code == "auth.scope_missing"
    assert "“files”" in caught.value.message
    assert caught.value.request_id


def test_graders_are_validated_and_run(client: openai.OpenAI) -> None:
    source = "def grade(sample, item):\n    return len(sample['output_text']) / item['most']"
    grader = {"type": "python", "name": "brief", "source": source}
    validated = client.fine_tuning.alpha.graders.validate(grader=grader)  # type: ignore[arg-type]  # a plain dict
    assert validated.to_dict()["grader"]["source"] == source  # type: ignore[index]  # an object
    ran = client.fine_tuning.alpha.graders.run(grader=grader, model_sample="four", item={"most": 8})  # type: ignore[arg-type]
    assert ran.reward == 0.5
    assert ran.metadata.errors.python_grader_runtime_error is False
    with pytest.raises(openai.BadRequestError) as caught:
        client.fine_tuning.alpha.graders.validate(grader=grader | {"source": "x = 1"})  # type: ignore[arg-type]
    assert caught.value.param == "source"
