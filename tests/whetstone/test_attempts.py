"""Attempts that fail, and when another one follows."""

import time
from datetime import timedelta

import pytest
from django.utils import timezone

from contracts.event import CheckpointSaved, Claim, Failed, Metrics, Release, Report, Stopped, WorkerEvent
from contracts.fault import FaultReport
from tests.whetstone.factories import let_lease_run_out, make_job, make_team, make_worker
from whetstone.artifacts.models import Blob
from whetstone.artifacts.store import put_bytes
from whetstone.jobs.attempts import release
from whetstone.jobs.claim import claim
from whetstone.jobs.models import Job, Round
from whetstone.jobs.record import record, resume
from whetstone.jobs.supervise import supervise

DIED = FaultReport(code="job.process_died", params={"how": "signal 9"})
OUT_OF_MEMORY = FaultReport(code="job.out_of_memory", params={"how": "CUDA", "smaller": "micro_batch_size 2"})


def claimed(instance: str = "scratch-1") -> Claim:
    make_worker("w1")
    found = claim("w1", "cpu", instance)
    assert found is not None
    return found


def tell(held: Claim, *events: WorkerEvent) -> None:
    reports = tuple(Report(seq=n, at=time.time(), event=event) for n, event in enumerate(events, start=1))
    record(held.spec.job, held.token, reports)


def fails(step: int, fault: FaultReport) -> None:
    """One more attempt, which dies at this step."""
    tell(claimed(), Metrics(step=step, values={}), Failed(fault=fault))


def now(job: Job) -> Job:
    return Job.objects.get(id=job.id)


def test_a_job_that_gets_on_survives_many_deaths() -> None:
    job = make_job()
    for step in range(1, 15):
        fails(step, DIED)
    assert now(job).status == "queued"


def test_three_deaths_alike_at_the_same_step_are_the_reason_to_stop() -> None:
    job = make_job()
    fails(3, DIED)
    for _ in range(3):
        assert now(job).status == "queued"
        fails(7, DIED)
    assert now(job).status == "failed"
    assert now(job).reason == "job.process_died, 3 times at step 7"
    assert now(job).fault_report == DIED


def test_two_deaths_alike_with_another_between_are_not_three() -> None:
    job = make_job()
    for step in (7, 7, 8, 7, 7):
        fails(step, DIED)
    assert now(job).status == "queued"


def test_memory_that_runs_out_twice_at_the_same_step_is_enough() -> None:
    job = make_job()
    fails(1, OUT_OF_MEMORY)
    assert now(job).status == "queued"
    fails(1, OUT_OF_MEMORY)
    assert now(job).status == "failed"


@pytest.mark.parametrize("code", ["worker.disk_full", "platform.disk_full"])
def test_a_job_without_room_is_paused_and_goes_on_once_there_is_some(code: str) -> None:
    job = make_job()
    params = {"worker": "w1", "free_mb": 0, "needed_mb": 1}
    full = FaultReport(code=code, params=params if code == "worker.disk_full" else {})
    for _ in range(3):
        fails(7, full)
    assert (now(job).status, now(job).fault_report) == ("paused", full)
    resume(job.id)
    assert (now(job).status, now(job).fault_report) == ("queued", None)
    assert claimed().attempt == 4


def test_the_attempts_of_one_cause_are_limited() -> None:
    job = make_job()
    for step in range(1, 21):
        assert now(job).status == "queued"
        fails(step, DIED)
    assert now(job).status == "failed"
    assert now(job).reason == "job.process_died, after 20 attempts"


def test_a_worker_that_goes_home_gives_the_job_back_and_costs_no_attempt() -> None:
    job = make_job()
    for _ in range(30):
        tell(claimed(), Metrics(step=1, values={}), Stopped(step=1))
    assert now(job).status == "queued"
    assert now(job).failures == 0


def test_a_worker_that_began_anew_gives_up_what_it_held_at_once() -> None:
    job = make_job()
    old = claimed("scratch-1")
    release(Release(worker="w1", instance="scratch-1"))
    assert now(job).status == "queued"
    assert claimed().attempt == 2
    assert record(job.id, old.token, ()).order == "replaced"


@pytest.mark.parametrize("given_up", [("w1", "scratch-2"), ("w2", "scratch-1"), ("w2", "")])
def test_nobody_gives_up_what_another_holds(given_up: tuple[str, str]) -> None:
    job = make_job()
    claimed("scratch-1")
    release(Release(worker=given_up[0], instance=given_up[1]))
    assert now(job).status == "running"


def test_what_began_after_the_restart_is_not_given_up_again() -> None:
    job = make_job()
    claimed("scratch-1")
    release(Release(worker="w1", instance="scratch-1"))
    second = claimed("scratch-1")
    tell(second, Metrics(step=1, values={}))
    assert now(job).attempt == 2
    assert now(job).status == "running"


def test_a_damaged_checkpoint_is_passed_over() -> None:
    make_job()
    file = put_bytes(make_team(), b"{}").ref("trainer_state.json")
    steps = [CheckpointSaved(step=n, files=(file,)) for n in (2, 4)]
    tell(claimed(), *steps, Failed(fault=DIED))
    second = claimed()
    assert second.resume is not None
    assert second.resume.step == 4
    tell(second, Failed(fault=FaultReport(code="checkpoint.damaged", params={"step": 4, "detail": "x"})))
    third = claimed()
    assert third.resume is not None
    assert third.resume.step == 2


def test_a_checkpoint_whose_files_are_gone_does_not_exist() -> None:
    make_job()
    kept, lost = put_bytes(make_team(), b"kept").ref("a"), put_bytes(make_team(), b"lost").ref("a")
    checkpoints = [CheckpointSaved(step=2, files=(kept,)), CheckpointSaved(step=4, files=(lost,))]
    tell(claimed(), *checkpoints, Failed(fault=DIED))
    Blob.objects.filter(sha256=lost.sha256).delete()
    resume = claimed().resume
    assert resume is not None
    assert resume.step == 2


def test_the_tokens_go_on_from_the_checkpoint() -> None:
    make_job()
    file = put_bytes(make_team(), b"{}").ref("trainer_state.json")
    told = [Metrics(step=n, values={"num_tokens": 100.0 * n}) for n in (1, 2, 3)]
    tell(claimed(), *told[:2], CheckpointSaved(step=2, files=(file,)), told[2], Failed(fault=DIED))
    assert claimed().trained_tokens == 200


def overdue(job: Job) -> None:
    Job.objects.filter(id=job.id).update(lease_until=timezone.now() - timedelta(minutes=1))


def test_silence_means_nothing_while_no_worker_at_all_is_heard() -> None:
    job = make_job()
    worker = make_worker("w1")
    claimed()
    worker.seen_at = timezone.now() - timedelta(minutes=5)
    worker.save()
    overdue(job)
    supervise()
    assert now(job).status == "running"


def test_after_an_outage_every_job_gets_a_whole_lease_to_come_back() -> None:
    job = make_job()
    claimed()
    Round.objects.create(id=1, at=timezone.now() - timedelta(hours=1), heard=True)
    overdue(job)
    supervise()
    assert now(job).status == "running"
    lease = now(job).lease_until
    assert lease is not None
    assert lease > timezone.now() + timedelta(minutes=4)
    supervise()
    assert now(job).status == "running"


def test_after_the_outage_silence_counts_again() -> None:
    job = make_job()
    claimed()
    supervise()
    supervise()
    overdue(job)
    supervise()
    assert now(job).status == "queued"


def test_a_second_supervisor_changes_nothing() -> None:
    job = make_job()
    claimed()
    let_lease_run_out(job)
    supervise()
    assert now(job).status == "queued"
    assert job.attempts.filter(outcome="failed").count() == 1
