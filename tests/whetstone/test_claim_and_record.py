"""A job's way through the platform: claimed once, reported once, ended once."""

import time
from datetime import timedelta

import pytest
from django.utils import timezone

from contracts.event import (
    CheckpointSaved,
    Claim,
    Evaluation,
    Failed,
    Finished,
    Metrics,
    Report,
    Stopped,
    WorkerEvent,
)
from contracts.fault import Fault, FaultReport
from contracts.job import FileRef
from tests.whetstone.factories import let_lease_run_out, make_job, make_team
from whetstone.artifacts.store import put_bytes
from whetstone.jobs.claim import claim
from whetstone.jobs.models import Job
from whetstone.jobs.record import ask, record, resume
from whetstone.jobs.tail import tail


def now(job: Job) -> Job:
    return Job.objects.get(id=job.id)


def claimed(pool: str = "cpu") -> Claim:
    found = claim("w1", pool)
    assert found is not None
    return found


def reports(*events: WorkerEvent, first: int = 1) -> tuple[Report, ...]:
    return tuple(Report(seq=seq, at=time.time(), event=event) for seq, event in enumerate(events, start=first))


def metrics(*steps: int) -> list[Metrics]:
    return [Metrics(step=step, values={"reward": step / 10}) for step in steps]


def stored(path: str, content: bytes) -> FileRef:
    return put_bytes(make_team(), content).ref(path)


def steps_told(job: Job, kind: str = "metrics") -> list[int | None]:
    return [event.step for event in tail(job.id, limit=10_000) if event.type == kind]


def test_a_job_is_claimed_by_one_worker_only() -> None:
    job = make_job()
    first, second = claim("w1", "cpu"), claim("w2", "cpu")
    assert first is not None
    assert first.spec.job == job.id
    assert second is None
    assert now(job).status == "running"


def test_a_worker_of_another_pool_gets_nothing() -> None:
    make_job()
    assert claim("w1", "h100") is None


def test_the_job_that_waits_longest_is_claimed_first() -> None:
    first, _second = make_job(), make_job()
    assert claimed().spec.job == first.id


def test_a_batch_sent_twice_is_recorded_once() -> None:
    job = make_job()
    token = claimed().token
    batch = reports(*metrics(1, 2, 3))
    record(job.id, token, batch)
    record(job.id, token, batch)
    record(job.id, token, reports(*metrics(1, 2, 3, 4)))
    assert steps_told(job) == [1, 2, 3, 4]
    assert now(job).step == 4


def test_event_numbers_have_no_gap() -> None:
    job = make_job()
    token = claimed().token
    record(job.id, token, reports(*metrics(1, 2)))
    record(job.id, token, reports(*metrics(3), first=3))
    numbers = [event.number for event in tail(job.id)]
    assert numbers == list(range(1, len(numbers) + 1))


def test_an_attempt_that_lost_the_job_is_told_so_and_changes_nothing() -> None:
    job = make_job()
    old = claimed()
    record(job.id, old.token, reports(*metrics(1)))
    let_lease_run_out(job)
    new = claimed()
    reply = record(job.id, old.token, reports(*metrics(2), first=2))
    assert (reply.order, reply.lease_s) == ("replaced", 0)
    assert new.attempt == 2
    assert steps_told(job) == []


def test_a_job_whose_worker_fell_silent_is_queued_again() -> None:
    job = make_job()
    claimed()
    let_lease_run_out(job)
    assert now(job).status == "queued"


def test_a_job_whose_workers_fall_silent_too_often_fails_with_that_reason() -> None:
    job = make_job()
    for _ in range(3):
        claimed()
        let_lease_run_out(job)
    assert now(job).status == "failed"
    fault = now(job).fault_report
    assert fault is not None
    assert fault.code == "job.worker_lost"


def test_a_report_renews_the_lease() -> None:
    job = make_job()
    token = claimed().token
    Job.objects.filter(id=job.id).update(lease_until=timezone.now() + timedelta(seconds=1))
    record(job.id, token, ())
    lease = now(job).lease_until
    assert lease is not None
    assert lease > timezone.now() + timedelta(seconds=30)


def test_the_next_attempt_goes_on_from_the_last_checkpoint_and_each_step_is_told_once() -> None:
    job = make_job()
    first = claimed()
    file = stored("trainer_state.json", b"{}")
    record(job.id, first.token, reports(*metrics(1, 2), CheckpointSaved(step=2, files=(file,)), *metrics(3, 4)))
    let_lease_run_out(job)
    second = claimed()
    assert second.resume is not None
    assert second.resume.step == 2
    assert steps_told(job) == [1, 2]
    record(job.id, second.token, reports(*metrics(3, 4, 5)))
    assert steps_told(job) == [1, 2, 3, 4, 5]


def test_without_a_checkpoint_the_next_attempt_begins_at_the_start() -> None:
    job = make_job()
    first = claimed()
    record(job.id, first.token, reports(Evaluation(step=0, values={"accuracy": 0.5}), *metrics(1)))
    record(
        job.id, first.token, reports(Failed(fault=FaultReport(code="job.process_died", params={"how": "x"})), first=3)
    )
    assert now(job).status == "queued"
    second = claimed()
    assert second.resume is None
    record(job.id, second.token, reports(Evaluation(step=0, values={"accuracy": 0.5}), *metrics(1)))
    assert steps_told(job, "evaluation") == [0]


def test_a_fault_of_the_user_ends_the_job_at_once() -> None:
    job = make_job()
    fault = FaultReport(code="job.loss_not_finite", params={"value": "nan", "step": 3})
    record(job.id, claimed().token, reports(Failed(fault=fault)))
    assert now(job).status == "failed"
    assert now(job).fault_report == fault


def test_a_finished_job_leaves_a_model_in_the_hub() -> None:
    job = make_job(suffix="sums")
    files = (stored("config.json", b'{"model_type": "qwen2"}'), stored("model.safetensors", b"weights"))
    record(job.id, claimed().token, reports(Finished(step=5, files=files, parameters=7, trained_tokens=99)))
    done = now(job)
    assert done.status == "succeeded"
    assert done.trained is not None
    assert done.trained.name.startswith("ft:tiny:")
    assert done.trained.base == job.base
    assert done.trained.config == {"model_type": "qwen2"}
    assert done.trained_tokens == 99


def test_a_job_is_not_finished_while_a_file_of_its_model_is_missing() -> None:
    job = make_job()
    token = claimed().token
    ghost = FileRef(path="model.safetensors", sha256="0" * 64, size=1)
    with pytest.raises(Fault):
        record(job.id, token, reports(Finished(step=5, files=(ghost,), parameters=7, trained_tokens=0)))
    assert now(job).status == "running"


def test_cancel_rides_home_on_the_reply() -> None:
    job = make_job()
    token = claimed().token
    ask(job.id, Job.Wish.CANCEL)
    assert now(job).status == "running"
    assert record(job.id, token, ()).order == "cancel"
    record(job.id, token, reports(Stopped(step=3)))
    assert now(job).status == "cancelled"


def test_a_queued_job_is_cancelled_at_once() -> None:
    job = make_job()
    ask(job.id, Job.Wish.CANCEL)
    assert now(job).status == "cancelled"
    assert claim("w1", "cpu") is None


def test_a_paused_job_waits_until_it_is_resumed() -> None:
    job = make_job()
    token = claimed().token
    ask(job.id, Job.Wish.PAUSE)
    assert record(job.id, token, ()).order == "pause"
    record(job.id, token, reports(Stopped(step=3)))
    assert now(job).status == "paused"
    assert claim("w1", "cpu") is None
    resume(job.id)
    assert claimed().spec.job == job.id


def test_what_has_ended_cannot_be_cancelled() -> None:
    job = make_job()
    ask(job.id, Job.Wish.CANCEL)
    with pytest.raises(Fault, match="already ended"):
        ask(job.id, Job.Wish.CANCEL)


def test_a_death_during_cancelling_counts_as_cancelled() -> None:
    job = make_job()
    token = claimed().token
    ask(job.id, Job.Wish.CANCEL)
    record(job.id, token, reports(Failed(fault=FaultReport(code="job.process_died", params={"how": "killed"}))))
    assert now(job).status == "cancelled"


@pytest.mark.parametrize("ahead_s", [600, 0, -600])
def test_a_workers_wrong_clock_does_not_move_what_it_reports(ahead_s: int) -> None:
    job = make_job()
    held = claimed()
    before, workers_now = timezone.now(), time.time() + ahead_s
    report = Report(seq=1, at=workers_now - 30, event=Metrics(step=1, values={"reward": 1}))
    record(job.id, held.token, (report,), sent_at=workers_now)
    told = job.events.get(type="metrics")
    assert abs((before - told.at).total_seconds() - 30) < 5
