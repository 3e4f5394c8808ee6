"""The doctor finds what is wrong, leaves alone what is only unusual, and mends what is safe."""

import os
import time
from datetime import timedelta
from importlib import import_module
from pathlib import Path

import pytest
from django.apps import apps
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from contracts.event import CheckpointSaved, Claim, Finished, LogLines, RolloutsWritten, Stopped
from contracts.job import FileRef
from tests.whetstone.factories import let_lease_run_out, make_dataset, make_job, make_team
from tests.whetstone.test_claim_and_record import claimed, metrics, now, reports, stored
from whetstone.accounts.models import hash_of
from whetstone.artifacts.models import Blob
from whetstone.artifacts.store import put_bytes
from whetstone.jobs.forget import forget
from whetstone.jobs.models import Event, Job
from whetstone.jobs.record import ask, record
from whetstone.jobs.retention import forget_checkpoints, forget_old_events
from whetstone.modelhub.models import Model
from whetstone.operations.doctor import examine

pytestmark = pytest.mark.django_db(transaction=True)
WEIGHTS = "model.safetensors"
GONE = {"path": "rows.jsonl", "sha256": "0" * 64, "size": 1}


def found(**how: bool) -> list[str]:
    """Kinds of what is wrong; the factories' model has no weights, and that is not asked here."""
    Model.objects.filter(name="tiny").update(origin="built_in")
    return [finding.kind for finding in examine(**how).findings]


def mended() -> None:
    assert examine(fix=True).is_well
    assert found() == []


def job_with_checkpoints(*steps: int) -> Job:
    job = make_job()
    claim = claimed()
    for step in steps:
        saved = CheckpointSaved(step=step, files=(stored(WEIGHTS, f"weights of {step}".encode()),))
        record(job.id, claim.token, reports(*metrics(step), saved, first=step * 2))
    return job


def claimed_again(job: Job) -> Claim:
    """Its attempt falls silent, and another begins at the newest checkpoint."""
    let_lease_run_out(job)
    return claimed()


def token_of(job: Job) -> str:
    """A new token for the attempt that holds the job: its own is known to its worker alone."""
    job.attempts.filter(ended_at=None).update(token_hash=hash_of("token"))
    return "token"


def file_of(blob: Blob) -> Path:
    return Path(default_storage.path(blob.place))


def test_a_platform_at_work_is_well(capsys: pytest.CaptureFixture[str]) -> None:
    job = job_with_checkpoints(1, 2, 3, 4)
    forget_checkpoints()
    let_lease_run_out(job)
    claim = claimed()
    done = (stored(WEIGHTS, b"done"),)
    end = Finished(step=5, files=done, parameters=1, trained_tokens=1)
    record(job.id, claim.token, reports(*metrics(5), end))
    assert now(job).status == "succeeded"
    assert found(deep=True) == []
    call_command("doctor")
    assert "All is well" in capsys.readouterr().out


def test_a_blob_without_file_is_found_and_forgotten() -> None:
    file_of(put_bytes(make_team(), b"lost")).unlink()
    assert found() == ["blob without file"]
    mended()


def test_the_lost_file_of_a_dataset_is_for_a_person_to_mend(capsys: pytest.CaptureFixture[str]) -> None:
    file_of(make_dataset().blob).unlink()
    with pytest.raises(CommandError, match="1 things are wrong"):
        call_command("doctor", "--fix")
    assert "Put the file back from a backup" in capsys.readouterr().out


def test_a_file_of_another_size_is_found() -> None:
    file_of(put_bytes(make_team(), b"whole")).write_bytes(b"half")
    assert found() == ["file of wrong size"]


def test_a_file_of_another_content_is_found_by_reading_it() -> None:
    file_of(put_bytes(make_team(), b"right")).write_bytes(b"wrong")
    assert found() == []
    assert found(deep=True) == ["file of wrong content"]


def test_an_old_file_that_nothing_knows_is_found_and_deleted() -> None:
    name = default_storage.save("1/ab/abcd", ContentFile(b"x"))
    assert found() == []
    long_ago = time.time() - 200_000
    os.utime(default_storage.path(name), (long_ago, long_ago))
    assert found() == ["file without blob"]
    mended()
    assert not default_storage.exists(name)


def test_a_checkpoint_whose_files_nobody_stored_is_found_and_forgotten() -> None:
    job_with_checkpoints(1, 2)
    blob = Blob.objects.get(sha256=stored(WEIGHTS, b"weights of 2").sha256)
    file_of(blob).unlink()
    blob.delete()
    assert found() == ["broken checkpoint"]
    examine(fix=True)
    assert [event.step for event in Event.objects.filter(type="checkpoint")] == [1]


def test_a_running_job_that_nobody_holds_is_found_and_queued() -> None:
    job = job_with_checkpoints(1)
    job.attempts.update(ended_at=timezone.now())
    assert found() == ["running without attempt"]
    mended()
    assert now(job).status == "queued"


def test_an_attempt_that_outlived_its_job_is_found_and_ended() -> None:
    job = make_job()
    claimed()
    ask(job.id, Job.Wish.CANCEL)
    record(job.id, token_of(job), reports(Stopped(step=0)))
    job.attempts.update(ended_at=None)
    assert found() == ["attempt without end"]
    mended()


def test_a_gap_is_found_in_a_job_from_which_much_was_taken_back() -> None:
    job = job_with_checkpoints(1, 2, 3, 4)
    record(job.id, claimed_again(job).token, reports(*metrics(5), LogLines(text="hello")))
    forget_checkpoints()
    assert found() == []
    Event.objects.filter(type="log").delete()
    assert found() == ["gap in events"]
    assert "lacks 1 of its events" in examine().findings[0].what


def test_a_gap_is_found_long_after_the_end() -> None:
    job = job_with_checkpoints(1)
    record(job.id, claimed_again(job).token, reports(LogLines(text="hello"), *metrics(2)))
    ask(job.id, Job.Wish.CANCEL)
    record(job.id, token_of(job), reports(Stopped(step=2), first=9))
    Job.objects.update(finished_at=timezone.now() - timedelta(days=400))
    forget_old_events()
    assert found() == []
    Event.objects.filter(type="attempt", attempt=1).delete()
    assert found() == ["gap in events"]


def test_what_was_taken_back_before_anybody_counted_is_no_gap() -> None:
    job = job_with_checkpoints(1, 2, 3, 4)
    forget_checkpoints()
    Job.objects.update(forgotten_events=0)
    assert found() == ["gap in events"]
    migration = import_module("whetstone.jobs.migrations.0005_forgotten_events")
    migration.take_what_is_missing_for_forgotten(apps, None)
    assert found() == []
    assert now(job).forgotten_events == 1


def test_more_events_than_were_counted_are_found_and_counted() -> None:
    job = job_with_checkpoints(1)
    Job.objects.filter(id=job.id).update(forgotten_events=2)
    assert found() == ["events counted wrong"]
    mended()


def test_a_step_without_metrics_is_found() -> None:
    job = job_with_checkpoints(1, 2, 3, 4)
    forget(job.id, Event.objects.filter(type="metrics", step__in=(2, 3)))
    assert found() == ["steps missing"]
    assert "lacks the metrics of steps 2 to 3" in examine().findings[0].what


def test_a_job_that_is_further_than_its_curve_is_found() -> None:
    job = job_with_checkpoints(1, 2)
    Job.objects.filter(id=job.id).update(step=4)
    assert found() == ["steps missing"]
    assert "steps 3 to 4" in examine().findings[0].what


def test_a_curve_that_is_further_than_its_job_is_found_and_counted() -> None:
    job = job_with_checkpoints(1, 2)
    Job.objects.filter(id=job.id).update(step=1)
    assert found() == ["metrics beyond the step"]
    mended()
    assert now(job).step == 2


def test_a_checkpoint_without_any_file_is_found_and_forgotten() -> None:
    job = job_with_checkpoints(1)
    record(job.id, token_of(job), reports(*metrics(2), CheckpointSaved(step=2, files=()), first=9))
    assert found() == ["broken checkpoint"]
    mended()
    assert [event.step for event in job.events.filter(type="checkpoint")] == [1]


def test_rollouts_whose_file_nobody_stored_are_found_and_forgotten() -> None:
    job = job_with_checkpoints(1)
    part = RolloutsWritten(step=1, first_step=1, rows=1, file=FileRef(path="x", sha256="0" * 64, size=1))
    record(job.id, token_of(job), reports(part, first=9))
    assert found() == ["rollouts without file"]
    mended()


def test_a_job_whose_inputs_are_gone_is_found() -> None:
    make_job()
    spec = now(Job.objects.get()).spec
    Job.objects.update(spec=spec | {"training": spec["training"] | {"file": GONE}})
    assert found() == ["job lacks files"]
    assert "rows.jsonl" in examine().findings[0].what


def test_the_lease_of_a_job_that_has_ended_is_found_and_taken_away() -> None:
    job = make_job()
    ask(job.id, Job.Wish.CANCEL)
    Job.objects.update(lease_until=timezone.now())
    assert found() == ["lease without attempt"]
    mended()
    assert now(job).lease_until is None


def test_a_state_of_which_no_event_tells_is_found() -> None:
    job = make_job()
    Job.objects.filter(id=job.id).update(status="paused")
    assert found() == ["state that no event tells"]
    assert "is paused, and its last event of that kind says queued" in examine().findings[0].what


def test_an_attempt_that_is_missing_is_found() -> None:
    job = job_with_checkpoints(1)
    claimed_again(job)
    job.attempts.filter(number=1).delete()
    assert found() == ["attempt missing"]
    assert "attempt 1 " in examine().findings[0].what


def test_an_attempt_that_forgot_what_it_has_told_is_found_and_reminded() -> None:
    job = job_with_checkpoints(1, 2)
    job.attempts.update(last_seq=2)
    assert found() == ["report beyond the last"]
    mended()
    assert job.attempts.get().last_seq == 5


@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL lets no such row in")
def test_a_row_whose_parent_is_gone_is_found() -> None:
    job = job_with_checkpoints(1)
    with connection.constraint_checks_disabled(), connection.cursor() as cursor:
        cursor.execute("DELETE FROM jobs_job WHERE id = %s", [job.id])
    assert "row without parent" in found()


def test_an_event_beyond_the_last_number_is_found_and_counted() -> None:
    job = job_with_checkpoints(1)
    Job.objects.filter(id=job.id).update(last_event=3)
    assert found() == ["event beyond the last"]
    mended()


def test_a_step_told_twice_is_found_where_the_constraint_was_lost() -> None:
    job = job_with_checkpoints(1)
    with connection.cursor() as cursor:
        cursor.execute("DROP INDEX each_step_is_told_once")
    try:
        Event.objects.create(job=job, number=6, type="metrics", step=1, at=timezone.now())
        Job.objects.filter(id=job.id).update(last_event=6)
        assert found() == ["step told twice"]
    finally:
        Event.objects.all().delete()
        constraint = next(c for c in Event._meta.constraints if c.name == "each_step_is_told_once")
        with connection.schema_editor() as schema:
            schema.add_constraint(Event, constraint)


def test_a_model_without_weights_is_found() -> None:
    make_job()
    Model.objects.update(origin="imported")
    assert [finding.kind for finding in examine().findings] == ["model without weights"]


def test_a_model_whose_file_was_never_stored_is_found() -> None:
    make_job()
    Model.objects.update(files=[{"path": WEIGHTS, "sha256": "0" * 64, "size": 1}])
    assert found() == ["model lacks files"]


def test_a_job_that_succeeded_without_a_model_is_found() -> None:
    job = job_with_checkpoints(1)
    end = Finished(step=1, files=(stored(WEIGHTS, b"done"),), parameters=1, trained_tokens=1)
    record(job.id, token_of(job), reports(end, first=9))
    Model.objects.filter(made_by=job).delete()
    assert found() == ["succeeded without model"]
