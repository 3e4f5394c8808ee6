"""Housekeeping: what is old goes, what is needed stays, and of several supervisors one acts."""

from datetime import timedelta
from io import BytesIO

import pytest
from django.core.files.storage import default_storage
from django.db.models import F
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from contracts.event import (
    CheckpointSaved,
    Claim,
    Evaluation,
    Finished,
    LogLines,
    Metrics,
    RolloutsWritten,
    Stopped,
    WorkerEvent,
)
from contracts.fault import FaultReport
from contracts.job import FileRef
from tests.whetstone.factories import make_dataset, make_job, make_team
from tests.whetstone.test_claim_and_record import claimed, now, reports, steps_told
from whetstone.artifacts.models import Blob
from whetstone.artifacts.store import discard, find, put, put_bytes
from whetstone.datasets.delete import delete_version
from whetstone.jobs.claim import newest_checkpoint
from whetstone.jobs.models import Chore, Job
from whetstone.jobs.record import ask, record
from whetstone.jobs.retention import GRACE, forget_checkpoints, forget_old_events, keep_house, sweep


def stored(path: str, content: bytes) -> FileRef:
    return put_bytes(make_team(), content).ref(path)


def checkpoint(step: int) -> CheckpointSaved:
    return CheckpointSaved(step=step, files=(stored("model.safetensors", f"weights of {step}".encode()),))


def job_with_checkpoints(*steps: int) -> tuple[Job, Claim]:
    job = make_job()
    claim = claimed()
    told = [event for step in steps for event in (Metrics(step=step, values={"reward": 1}), checkpoint(step))]
    record(job.id, claim.token, reports(*told))
    return job, claim


def days_pass(days: float = 2) -> None:
    Blob.objects.update(created_at=timezone.now() - timedelta(days=days))


def contents() -> set[bytes]:
    return {default_storage.open(blob.place).read() for blob in Blob.objects.all()}


def test_a_job_keeps_its_newest_checkpoints() -> None:
    job, _ = job_with_checkpoints(1, 2, 3, 4, 5)
    forget_checkpoints()
    assert steps_told(job, "checkpoint") == [3, 4, 5]
    assert steps_told(job) == [1, 2, 3, 4, 5]


def test_an_ended_job_keeps_its_newest_checkpoints_too(settings: Settings) -> None:
    settings.ENVIRONMENT = settings.ENVIRONMENT.model_copy(update={"keep_checkpoints": 1})
    job, claim = job_with_checkpoints(1, 2)
    end = Finished(step=2, files=(stored("model.safetensors", b"done"),), parameters=1, trained_tokens=1)
    record(job.id, claim.token, reports(end, first=9))
    forget_checkpoints()
    assert steps_told(job, "checkpoint") == [2]


def test_a_damaged_checkpoint_does_not_count_among_those_that_are_kept(settings: Settings) -> None:
    settings.ENVIRONMENT = settings.ENVIRONMENT.model_copy(update={"keep_checkpoints": 1})
    job, _ = job_with_checkpoints(1, 2, 3)
    fault = FaultReport(code="checkpoint.damaged", params={"step": 3, "detail": "torn"})
    now(job).attempts.update(from_step=3, fault=fault.model_dump(mode="json"))
    forget_checkpoints()
    resume = newest_checkpoint(now(job))
    assert resume is not None
    assert resume.step == 2
    assert steps_told(job, "checkpoint") == [2, 3]


def test_rollouts_and_logs_go_long_after_the_end() -> None:
    job, claim = job_with_checkpoints(1)
    part = RolloutsWritten(step=1, first_step=1, rows=1, file=stored("part.parquet", b"parquet"))
    record(job.id, claim.token, reports(part, LogLines(text="hello"), first=9))
    ended = Finished(step=1, files=(), parameters=1, trained_tokens=1)
    record(job.id, claim.token, reports(ended, first=20))
    forget_old_events()
    assert steps_told(job, "log") == [None]
    Job.objects.update(finished_at=timezone.now() - timedelta(days=91))
    forget_old_events()
    assert (steps_told(job, "log"), steps_told(job, "rollouts"), steps_told(job)) == ([], [], [1])


def test_a_long_running_job_keeps_its_logs() -> None:
    job, claim = job_with_checkpoints(1)
    record(job.id, claim.token, reports(LogLines(text="hello"), first=9))
    Job.objects.update(created_at=timezone.now() - timedelta(days=400), started_at=timezone.now() - timedelta(days=400))
    forget_old_events()
    assert steps_told(job, "log") == [None]


def test_files_that_nothing_refers_to_go_after_a_day() -> None:
    job_with_checkpoints(1, 2, 3, 4)
    forget_checkpoints()
    put_bytes(make_team(), b"uploaded, never named")
    sweep()
    assert b"uploaded, never named" in contents()
    days_pass()
    places = {blob.place for blob in Blob.objects.all()}
    sweep()
    kept = {blob.place for blob in Blob.objects.all()}
    assert b"weights of 4" in contents()
    assert not {b"weights of 1", b"uploaded, never named"} & contents()
    assert not any(default_storage.exists(place) for place in places - kept)


@pytest.mark.parametrize("status", ["queued", "running", "paused", "succeeded"])
def test_what_a_job_needs_stays(status: str) -> None:
    job, claim = job_with_checkpoints(1)
    part = RolloutsWritten(step=1, first_step=1, rows=1, file=stored("part.parquet", b"parquet"))
    record(job.id, claim.token, reports(part, first=9))
    if status == "succeeded":
        end = Finished(step=1, files=(stored("model.safetensors", b"done"),), parameters=1, trained_tokens=1)
        record(job.id, claim.token, reports(end, first=20))
    elif status != "running":
        Job.objects.update(status=status, lease_until=None)
    before = contents()
    days_pass()
    sweep()
    assert contents() == before


def test_a_deleted_dataset_leaves_its_file_for_housekeeping() -> None:
    version = make_dataset()
    delete_version(version)
    days_pass()
    sweep()
    assert contents() == set()


def test_storing_the_same_content_again_keeps_it_another_day() -> None:
    put_bytes(make_team(), b"again")
    days_pass()
    put_bytes(make_team(), b"again")
    sweep()
    assert contents() == {b"again"}


def test_a_worker_that_asks_whether_a_file_is_there_keeps_it_another_day() -> None:
    job = make_job()
    blob = put_bytes(make_team(), b"a part")
    days_pass()
    http = Client(headers={"authorization": f"Bearer {claimed().token}"})
    assert http.head(f"/api/worker/jobs/{job.id}/blobs/{blob.sha256}").status_code == 200
    sweep()
    assert find(make_team(), blob.sha256) is not None


def test_a_worker_is_told_to_send_a_file_again_that_the_store_lost() -> None:
    job = make_job()
    blob = put_bytes(make_team(), b"a part")
    default_storage.delete(blob.place)
    http = Client(headers={"authorization": f"Bearer {claimed().token}"})
    assert http.head(f"/api/worker/jobs/{job.id}/blobs/{blob.sha256}").status_code == 404


def test_what_was_renewed_after_the_search_is_not_discarded() -> None:
    blob = put_bytes(make_team(), b"renewed")
    discard(blob.id, timezone.now() - GRACE)
    assert default_storage.exists(blob.place)


def test_a_discarded_content_can_be_stored_again() -> None:
    blob = put_bytes(make_team(), b"back")
    discard(blob.id, timezone.now() + GRACE)
    again = put(make_team(), BytesIO(b"back"))
    assert default_storage.exists(again.place)
    assert Blob.objects.count() == 1


def test_of_several_supervisors_one_keeps_house() -> None:
    keep_house()
    job, _ = job_with_checkpoints(1, 2, 3, 4)
    keep_house()
    assert len(steps_told(job, "checkpoint")) == 4
    Chore.objects.update(at=timezone.now() - timedelta(minutes=2))
    keep_house()
    assert len(steps_told(job, "checkpoint")) == 3


def test_a_paused_job_goes_on_from_what_housekeeping_left() -> None:
    job, claim = job_with_checkpoints(1, 2, 3, 4)
    ask(job.id, Job.Wish.PAUSE)
    record(job.id, claim.token, reports(Stopped(step=4), first=20))
    days_pass()
    forget_checkpoints()
    sweep()
    Job.objects.update(status="queued")
    again = claimed()
    assert again.resume is not None
    assert again.resume.step == 4


def evaluated(step: int, **values: float) -> list[WorkerEvent]:
    """As a trainer reports a step: its metrics, what the held-out data says, its checkpoint."""
    return [Metrics(step=step, values={"reward": 1}), Evaluation(step=step, values=values), checkpoint(step)]


def job_evaluated(*told: dict[str, float], method: str = "grpo") -> tuple[Job, Claim]:
    job = make_job()
    Job.objects.filter(id=job.id).update(method=method)
    claim = claimed()
    events = [event for step, values in enumerate(told, start=1) for event in evaluated(step, **values)]
    record(job.id, claim.token, reports(*events))
    return job, claim


@pytest.mark.parametrize(
    ("method", "told", "best"),
    [
        ("grpo", [{"reward_mean": r} for r in (0.1, 0.7, 0.2, 0.3, 0.4, 0.5)], 2),
        ("grpo", [{"reward_mean": r} for r in (0.1, 0.7, 0.7, 0.3, 0.4, 0.5)], 2),
        ("dpo", [{"reward_mean": r, "loss": r} for r in (0.1, 0.7, 0.2, 0.3, 0.4, 0.5)], 2),
        ("full", [{"loss": loss, "token_accuracy": loss} for loss in (0.9, 0.2, 0.3, 0.4, 0.5, 0.6)], 2),
        ("dpo", [{"loss": r, "pair_accuracy": r} for r in (0.1, 0.7, 0.2, 0.3, 0.4, 0.5)], 1),
        ("reward_model", [{"loss": r, "pair_accuracy": r} for r in (0.1, 0.7, 0.2, 0.3, 0.4, 0.5)], 2),
        ("kto", [{"margin": m} for m in (0.1, 0.7, 0.2, 0.3, 0.4, 0.5)], 2),
    ],
)
def test_the_best_checkpoint_stays_beside_the_newest(method: str, told: list[dict[str, float]], best: int) -> None:
    job, _ = job_evaluated(*told, method=method)
    forget_checkpoints()
    assert steps_told(job, "checkpoint") == [best, 4, 5, 6]
    forget_checkpoints()
    assert steps_told(job, "checkpoint") == [best, 4, 5, 6]


def test_a_better_checkpoint_takes_the_place_of_the_best(settings: Settings) -> None:
    settings.ENVIRONMENT = settings.ENVIRONMENT.model_copy(update={"keep_checkpoints": 1})
    job, claim = job_evaluated(*({"reward_mean": r} for r in (0.1, 0.5, 0.3)))
    forget_checkpoints()
    assert steps_told(job, "checkpoint") == [2, 3]
    more = [*evaluated(4, reward_mean=0.9), *evaluated(5, reward_mean=0.8)]
    record(job.id, claim.token, reports(*more, first=20))
    forget_checkpoints()
    assert steps_told(job, "checkpoint") == [4, 5]


def test_a_step_that_was_not_evaluated_is_not_the_best_and_a_damaged_one_neither(settings: Settings) -> None:
    settings.ENVIRONMENT = settings.ENVIRONMENT.model_copy(update={"keep_checkpoints": 1})
    job, claim = job_evaluated({"reward_mean": 0.2}, {"reward_mean": 0.9}, {"reward_mean": 0.1})
    record(job.id, claim.token, reports(checkpoint(4), first=20))
    fault = FaultReport(code="checkpoint.damaged", params={"step": 2, "detail": "torn"})
    now(job).attempts.update(from_step=2, fault=fault.model_dump(mode="json"))
    forget_checkpoints()
    assert steps_told(job, "checkpoint") == [1, 4]


def test_files_of_forgotten_checkpoints_do_not_wait_for_a_day() -> None:
    job, _ = job_evaluated(*({"reward_mean": r} for r in (0.1, 0.7, 0.2, 0.3, 0.4, 0.5)))
    forget_checkpoints()
    sweep()
    assert b"weights of 1" in contents()
    Blob.objects.update(created_at=F("created_at") - timedelta(minutes=16))
    sweep()
    assert {one for one in contents() if one.startswith(b"weights")} == {b"weights of %d" % n for n in (2, 4, 5, 6)}
    assert now(job).status == "running"


def test_housekeeping_looks_at_jobs_that_ended_long_ago_once_a_day() -> None:
    keep_house()
    job, _ = job_with_checkpoints(1, 2, 3, 4)
    Job.objects.update(status="cancelled", lease_until=None, finished_at=timezone.now() - timedelta(days=3))
    Chore.objects.update(at=timezone.now() - timedelta(hours=2))
    keep_house()
    assert steps_told(job, "checkpoint") == [1, 2, 3, 4]
    Chore.objects.update(at=timezone.now() - timedelta(days=2))
    keep_house()
    assert steps_told(job, "checkpoint") == [2, 3, 4]
