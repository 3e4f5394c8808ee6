"""The doctor finds what is wrong, leaves alone what is only unusual, and mends what is safe."""

import os
import time
from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from contracts.event import CheckpointSaved, Finished
from tests.whetstone.factories import let_lease_run_out, make_dataset, make_job, make_team
from tests.whetstone.test_claim_and_record import claimed, metrics, now, reports, stored
from whetstone.artifacts.models import Blob
from whetstone.artifacts.store import put_bytes
from whetstone.jobs.models import Event, Job
from whetstone.jobs.record import record
from whetstone.jobs.retention import forget_checkpoints
from whetstone.modelhub.models import Model
from whetstone.operations.doctor import examine

pytestmark = pytest.mark.django_db(transaction=True)
WEIGHTS = "model.safetensors"


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
    job.attempts.all().delete()
    assert found() == ["running without attempt"]
    mended()
    assert now(job).status == "queued"


def test_an_attempt_that_outlived_its_job_is_found_and_ended() -> None:
    job = make_job()
    claimed()
    Job.objects.filter(id=job.id).update(status="cancelled", lease_until=None, finished_at=timezone.now())
    assert found() == ["attempt without end"]
    mended()


def test_a_gap_that_nothing_explains_is_found() -> None:
    job = job_with_checkpoints(1, 2)
    Event.objects.filter(type="metrics", step=2).delete()
    assert found() == ["gap in events"]
    assert "lacks the events 6" in examine().findings[0].what
    assert now(job).last_event == 7


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
    job = make_job()
    Job.objects.filter(id=job.id).update(status="succeeded", finished_at=timezone.now())
    assert found() == ["succeeded without model"]
