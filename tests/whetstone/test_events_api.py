"""A job's events in OpenAI's form."""

from contracts.event import (
    CheckpointSaved,
    Evaluation,
    Failed,
    LogLines,
    Metrics,
    Phase,
    Report,
    RolloutsWritten,
    WorkerEvent,
)
from contracts.fault import FaultReport
from tests.whetstone.factories import (
    make_job,
    make_team,
)
from tests.whetstone.test_rest import Api, api, claimed_by
from whetstone.artifacts.store import put_bytes
from whetstone.jobs.record import record

__all__ = ["api"]


def test_events_are_told_newest_first_and_paged(api: Api) -> None:
    job = make_job()
    events = api.get(f"/v1/fine_tuning/jobs/{job.id}/events")[1]
    assert events["data"][0]["message"] == "The job is queued."
    assert events["has_more"] is False


def test_every_event_says_something_that_a_person_understands(api: Api) -> None:
    job = make_job()
    token = claimed_by("w1")
    file = put_bytes(make_team(), b"x").ref("part.parquet")
    fault = FaultReport(code="job.process_died", params={"how": "signal 9"})
    told: tuple[WorkerEvent, ...] = (
        Phase(name="downloading"),
        Evaluation(step=0, values={"accuracy": 0.25}),
        Metrics(step=1, values={"reward": 0.5, "kl": 0.1}),
        RolloutsWritten(step=1, first_step=1, rows=3, file=file),
        CheckpointSaved(step=1, files=(file,)),
        LogLines(text="hello"),
        Failed(fault=fault),
    )
    record(job.id, token, tuple(Report(seq=n, at=n, event=event) for n, event in enumerate(told, start=1)))
    events = api.get(f"/v1/fine_tuning/jobs/{job.id}/events")[1]["data"]
    assert [(event["level"], event["message"]) for event in events][::-1] == [
        ("info", "The job is queued."),
        ("info", "The job is running."),
        ("info", "Attempt 1 on w1, from step 0."),
        ("info", "The job is downloading."),
        ("info", "Held-out data at step 0: accuracy=0.25"),
        ("info", "Step 1: reward=0.5"),
        ("info", "The completions of steps 1 to 1 are stored."),
        ("info", "Checkpoint at step 1."),
        ("info", "hello"),
        ("warn", "The training process ended before it was done (signal 9)."),
        ("info", "The job is queued. attempt 1 failed: job.process_died"),
    ]
    end = Report(
        seq=1, at=1, event=Failed(fault=FaultReport(code="lora.no_target", params={"targets": "x", "layers": "y"}))
    )
    record(job.id, claimed_by("w1"), (end,))
    newest = api.get(f"/v1/fine_tuning/jobs/{job.id}/events?limit=1")[1]["data"][0]
    assert newest["level"] == "error"
    assert newest["message"].startswith("The job is failed. No layer of the model")
