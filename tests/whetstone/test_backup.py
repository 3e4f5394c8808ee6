"""Backup while others write, and restore into an empty platform."""

import gzip
import tarfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.models import Model

from contracts.event import CheckpointSaved, Metrics
from tests.whetstone.factories import make_dataset, make_job, make_key, make_team, make_user
from tests.whetstone.test_claim_and_record import claimed, metrics, reports, stored
from whetstone.accounts.models import Team, User
from whetstone.artifacts.models import Blob
from whetstone.jobs.models import Attempt, Event, Job
from whetstone.jobs.record import ask, record
from whetstone.operations.archive import CannotRestore
from whetstone.operations.backup import back_up, one_moment
from whetstone.operations.restore import empty, restore

pytestmark = pytest.mark.django_db(transaction=True)


def rows() -> dict[str, list[dict[str, Any]]]:
    kept: tuple[type[Model], ...] = (Team, User, Blob, Event, Attempt)
    return {model.__name__: [dict(row) for row in model._base_manager.order_by("pk").values()] for model in kept}


def running_job() -> Job:
    job = make_job()
    saved = CheckpointSaved(step=3, files=(stored("model.safetensors", b"weights"),))
    record(job.id, claimed().token, reports(*metrics(1, 2, 3), saved))
    return job


def lose_everything() -> None:
    for blob in Blob.objects.all():
        default_storage.delete(blob.place)
    empty()


def test_what_was_backed_up_is_restored_to_the_last_digit(home: Path) -> None:
    job = running_job()
    make_key()
    ask(job.id, Job.Wish.PAUSE)
    Job.objects.update(status="paused", lease_until=None)
    before = rows()
    back_up(home / "backup.tar", with_artifacts=True)
    lose_everything()
    assert restore(home / "backup.tar", force=False).missing == ()
    assert rows() == before
    assert all(default_storage.exists(blob.place) for blob in Blob.objects.all())


def test_rows_made_after_a_restore_get_new_numbers(home: Path) -> None:
    running_job()
    back_up(home / "backup.tar", with_artifacts=True)
    lose_everything()
    restore(home / "backup.tar", force=False)
    make_dataset(name="another")
    make_job()


def test_a_running_job_goes_on_from_its_last_checkpoint(home: Path) -> None:
    job = running_job()
    back_up(home / "backup.tar", with_artifacts=True)
    lose_everything()
    assert restore(home / "backup.tar", force=False).queued == 1
    assert Job.objects.get(id=job.id).status == "queued"
    again = claimed()
    assert again.resume is not None
    assert (again.attempt, again.resume.step) == (2, 3)


def test_a_wish_to_cancel_outlives_the_restore(home: Path) -> None:
    job = running_job()
    ask(job.id, Job.Wish.CANCEL)
    back_up(home / "backup.tar", with_artifacts=True)
    lose_everything()
    restore(home / "backup.tar", force=False)
    assert Job.objects.get(id=job.id).status == "cancelled"


def test_a_backup_is_of_one_moment_though_others_write(home: Path) -> None:
    job = make_job()
    token = claimed().token
    record(job.id, token, reports(*metrics(1)))
    with one_moment():
        before = Event.objects.count()
        writer = threading.Thread(target=_report, args=(job.id, token))
        writer.start()
        writer.join(10)
        assert not writer.is_alive(), "a backup must not hold up those who write"
        assert Event.objects.count() == before
    assert Event.objects.count() == before + 1


def _report(job_id: str, token: str) -> None:
    try:
        record(job_id, token, reports(Metrics(step=2, values={"reward": 1}), first=2))
    finally:
        connection.close()


def test_a_platform_that_is_notempty_is_left_alone(home: Path) -> None:
    make_user()
    back_up(home / "backup.tar", with_artifacts=False)
    make_user("grace")
    with pytest.raises(CannotRestore, match="not empty"):
        restore(home / "backup.tar", force=False)
    assert User.objects.count() == 2
    restore(home / "backup.tar", force=True)
    assert User.objects.count() == 1


def backed_up(home: Path) -> bytes:
    """A whole backup with files, of a platform that still holds all of it, and in which nothing runs."""
    ask(running_job().id, Job.Wish.PAUSE)
    Job.objects.update(status="paused", lease_until=None)
    make_key()
    back_up(home / "backup.tar", with_artifacts=True)
    return (home / "backup.tar").read_bytes()


def refused(home: Path, content: bytes, match: str) -> None:
    """Nothing is changed by what cannot be restored."""
    (home / "damaged.tar").write_bytes(content)
    before, stored_before = rows(), list(files())
    with pytest.raises(CannotRestore, match=match):
        restore(home / "damaged.tar", force=True)
    assert (rows(), list(files())) == (before, stored_before)


def files() -> Iterator[tuple[str, bytes]]:
    for blob in Blob.objects.order_by("pk"):
        yield blob.place, default_storage.open(blob.place).read()


@pytest.mark.parametrize("content", [b"", b"Dear Ada", b"\x1f\x8b Dear Ada", b"x" * 100_000])
def test_what_is_no_backup_is_refused(home: Path, content: bytes) -> None:
    make_user()
    refused(home, content, "cannot be read as a backup")


def test_a_tar_of_something_else_is_refused(home: Path) -> None:
    make_user()
    (home / "about.json").write_text('["a list"]')
    for name in ("incoming", "about.json"):
        with tarfile.open(home / "other.tar", "w") as tar:
            tar.add(home / name, name)
        refused(home, (home / "other.tar").read_bytes(), "is no backup of Whetstone")
    with pytest.raises(CannotRestore, match="cannot be read"):
        restore(home / "nothing", force=True)


def test_a_backup_that_was_cut_off_is_refused_wherever_it_was_cut(home: Path) -> None:
    whole = backed_up(home)
    for length in range(512, len(whole) - 11_000, 1024):  # the last blocks of a tar are empty
        refused(home, whole[:length], "cannot be read as|is no backup|is damaged")


def test_a_flipped_bit_is_noticed_wherever_it_matters(home: Path) -> None:
    whole = backed_up(home)
    before, refusals = (rows(), list(files())), 0
    places = [place for place in range(0, len(whole) - 11_000, 97) if whole[place]]  # zeros: nothing reads them
    for place in places:
        torn = bytearray(whole)
        torn[place] ^= 1
        (home / "torn.tar").write_bytes(torn)
        try:
            restore(home / "torn.tar", force=True)
        except CannotRestore:
            refusals += 1
        assert (rows(), list(files())) == before
    assert refusals > 0.95 * len(places) > 50


def test_a_packed_backup_that_is_damaged_is_refused(home: Path) -> None:
    packed = gzip.compress(backed_up(home))
    refused(home, packed[: len(packed) // 2], "is damaged")
    refused(home, packed[:-200] + bytes(200), "is damaged")


def test_the_command_says_in_a_sentence_that_a_backup_is_damaged(home: Path) -> None:
    (home / "damaged.tar").write_bytes(backed_up(home)[:9_000])
    with pytest.raises(CommandError, match=r"damaged\.tar is damaged: .* Nothing was changed") as refusal:
        call_command("restore", str(home / "damaged.tar"), "--force")
    assert refusal.value.returncode == 1


def test_what_was_rotten_before_the_backup_keeps_nobody_from_restoring_the_rest(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    blob = make_dataset().blob
    good = Path(default_storage.path(blob.place)).read_bytes()
    Path(default_storage.path(blob.place)).write_bytes(b"x" * blob.size)
    with pytest.raises(CommandError, match="not whole"):
        call_command("backup", str(home / "backup.tar"), "--with-artifacts")
    assert blob.place in capsys.readouterr().err
    Path(default_storage.path(blob.place)).write_bytes(good)
    assert restore(home / "backup.tar", force=True).missing == ()
    assert Path(default_storage.path(blob.place)).read_bytes() == good


def test_missing_and_damaged_files_are_named(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lost = make_dataset(name="lost").blob
    torn = make_dataset([{"prompt": "1", "answer": "2"}], name="torn").blob
    call_command("backup", str(home / "backup.tar"))
    assert "without 2 files" in capsys.readouterr().out
    empty()
    default_storage.delete(lost.place)
    Path(default_storage.path(torn.place)).write_bytes(b"something else")
    with pytest.raises(CommandError, match="2 files are missing"):
        call_command("restore", str(home / "backup.tar"))
    said = capsys.readouterr().err
    assert f"{lost.place} is not there" in said
    assert f"{torn.place} has another content" in said
    assert Team.objects.get(id=lost.team_id)


def test_a_backup_with_files_says_what_it_lacks(home: Path) -> None:
    blob = stored("x", b"gone")
    place = Blob.objects.get(sha256=blob.sha256, team=make_team()).place
    default_storage.delete(place)
    with pytest.raises(CommandError, match="not whole"):
        call_command("backup", str(home / "backup.tar"), "--with-artifacts")


def test_a_backup_that_cannot_be_written_leaves_nothing(home: Path) -> None:
    with pytest.raises(CommandError, match="could not be written"):
        call_command("backup", str(home / "nowhere" / "backup.tar"))
    assert not list(home.rglob("*.part"))
