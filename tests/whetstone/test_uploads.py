"""Files that come in parts, and files that last for a time."""

import hashlib
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from pytest_django import Settings

from tests.whetstone.factories import PROMPTS, jsonl, make_dataset, make_job, make_key, make_user
from tests.whetstone.pages import browser
from whetstone.datasets.expire import delete_expired_files
from whetstone.datasets.models import DatasetVersion, Upload, UploadPart
from whetstone.datasets.uploads import forget_uploads

ROWS = jsonl(PROMPTS)
JSON = "application/json"


@pytest.fixture
def http() -> Client:
    return client("ada")


def client(name: str) -> Client:
    return Client(headers={"authorization": f"Bearer {make_key(make_user(name))}"}, raise_request_exception=False)


def begun(http: Client, size: int = len(ROWS), **fields: Any) -> str:
    body = {"bytes": size, "filename": "rows.jsonl", "mime_type": "application/jsonl", "purpose": "fine-tune"} | fields
    answer = http.post("/v1/uploads", body, content_type=JSON)
    assert answer.status_code == 200, answer.content
    assert (answer.json()["object"], answer.json()["status"], answer.json()["file"]) == ("upload", "pending", None)
    return str(answer.json()["id"])


def part(http: Client, upload: str, content: bytes) -> Any:
    return http.post(f"/v1/uploads/{upload}/parts", {"data": SimpleUploadedFile("blob", content)})


def completed(http: Client, upload: str, parts: list[str], **fields: Any) -> Any:
    return http.post(f"/v1/uploads/{upload}/complete", {"part_ids": parts} | fields, content_type=JSON)


def code(answer: Any) -> str:
    assert answer.status_code == 400, answer.content
    return str(answer.json()["error"]["code"])


def kept(home: Path) -> list[Path]:
    return [path for path in (home / "incoming").rglob("*") if path.is_file()]


def test_parts_are_put_together_in_the_order_that_is_named(http: Client, home: Path) -> None:
    upload = begun(http)
    second = part(http, upload, ROWS[100:]).json()
    first = part(http, upload, ROWS[:100]).json()
    assert (first["object"], first["upload_id"]) == ("upload.part", upload)
    done = completed(http, upload, [first["id"], second["id"]], md5=hashlib.md5(ROWS).hexdigest())
    assert done.status_code == 200, done.content
    assert done.json()["status"] == "completed"
    file = done.json()["file"]
    assert (file["filename"], file["bytes"], file["dataset"]) == ("rows.jsonl", len(ROWS), "rows@1")
    assert b"".join(http.get(f"/v1/files/{file['id']}/content")) == ROWS
    assert kept(home) == []


def test_completed_twice_it_is_the_same_file(http: Client) -> None:
    upload = begun(http)
    one = part(http, upload, ROWS).json()["id"]
    first, again = completed(http, upload, [one]), completed(http, upload, [one])
    assert again.json()["file"]["id"] == first.json()["file"]["id"]
    assert DatasetVersion.objects.count() == 1


def test_parts_that_do_not_make_the_file_are_refused_and_may_be_mended(http: Client) -> None:
    upload = begun(http)
    first, second = (part(http, upload, piece).json()["id"] for piece in (ROWS[:100], ROWS[100:]))
    for wrong in ([first], [first, first], [first, second, "part-x"]):
        assert code(completed(http, upload, wrong)) == "upload.wrong_parts"
    assert code(completed(http, upload, [first, second], md5="0" * 32)) == "upload.wrong_md5"
    assert code(completed(http, upload, [second, first], md5=hashlib.md5(ROWS).hexdigest())) == "upload.wrong_md5"
    assert not DatasetVersion.objects.exists()
    assert completed(http, upload, [first, second]).status_code == 200


def test_more_than_was_announced_is_refused(http: Client, home: Path) -> None:
    upload = begun(http, size=10)
    assert part(http, upload, b"x" * 8).status_code == 200
    assert code(part(http, upload, b"x" * 3)) == "upload.wrong_parts"
    assert len(kept(home)) == 1


def test_a_file_with_a_broken_line_names_it(http: Client) -> None:
    content = b'{"a": 1}\n{oops\n'
    upload = begun(http, size=len(content))
    one = part(http, upload, content).json()["id"]
    assert code(completed(http, upload, [one])) == "dataset.broken_line"


def test_what_was_cancelled_is_gone_and_takes_nothing_more(http: Client, home: Path) -> None:
    upload = begun(http)
    one = part(http, upload, ROWS).json()["id"]
    assert http.post(f"/v1/uploads/{upload}/cancel").json()["status"] == "cancelled"
    assert kept(home) == []
    assert code(part(http, upload, ROWS)) == "upload.not_pending"
    assert code(completed(http, upload, [one])) == "upload.not_pending"
    assert code(http.post(f"/v1/uploads/{upload}/cancel")) == "upload.not_pending"


def test_an_upload_expires_after_an_hour_and_its_parts_are_thrown_away(http: Client, home: Path) -> None:
    upload = begun(http)
    part(http, upload, ROWS)
    forget_uploads()
    assert len(kept(home)) == 1
    Upload.objects.update(expires_at=timezone.now() - timedelta(hours=2))
    assert "expired" in part(http, upload, b"").json()["error"]["message"]
    forget_uploads()
    assert kept(home) == []
    assert not UploadPart.objects.exists()
    assert Upload.objects.exists(), "it can still be asked for"
    Upload.objects.update(expires_at=timezone.now() - timedelta(hours=25))
    forget_uploads()
    assert not Upload.objects.exists()


def test_another_team_s_upload_is_not_there(http: Client) -> None:
    upload, eve = begun(http), client("eve")
    assert part(eve, upload, ROWS).status_code == 404
    assert completed(eve, upload, ["part-x"]).status_code == 404
    assert eve.post(f"/v1/uploads/{upload}/cancel").status_code == 404


def test_a_file_that_is_too_large_is_refused_before_it_is_sent(http: Client, settings: Settings) -> None:
    settings.ENVIRONMENT = settings.ENVIRONMENT.model_copy(update={"max_parts_mb": 1, "max_upload_mb": 1})
    body = {"bytes": 2**20 + 1, "filename": "x", "mime_type": "", "purpose": "fine-tune"}
    answer = http.post("/v1/uploads", body, content_type=JSON)
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "upload.too_large")


def test_a_file_in_parts_may_be_larger_than_one_in_a_piece(http: Client, settings: Settings) -> None:
    settings.ENVIRONMENT = settings.ENVIRONMENT.model_copy(update={"max_parts_mb": 8, "max_upload_mb": 1})
    content = jsonl([{"prompt": "x" * 1000}] * 1500)
    upload = begun(http, size=len(content))
    one = part(http, upload, content).json()["id"]
    assert completed(http, upload, [one]).json()["file"]["bytes"] == len(content)


def uploaded(http: Client, **fields: str) -> Any:
    return http.post("/v1/files", {"file": SimpleUploadedFile("rows.jsonl", ROWS), "purpose": "fine-tune"} | fields)


def test_a_file_is_deleted_when_its_time_is_over(http: Client) -> None:
    lasts = {"expires_after[anchor]": "created_at", "expires_after[seconds]": "3600"}
    file = uploaded(http, **lasts).json()
    assert abs(file["expires_at"] - file["created_at"] - 3600) <= 1
    delete_expired_files()
    assert http.get(f"/v1/files/{file['id']}").status_code == 200
    DatasetVersion.objects.update(expires_at=timezone.now())
    assert "deleted within minutes" in http.get(f"/v1/files/{file['id']}").json()["status_details"]
    delete_expired_files()
    assert http.get(f"/v1/files/{file['id']}").status_code == 404


def test_a_file_that_a_job_refers_to_stays_and_says_so(http: Client) -> None:
    job, other = make_job(), make_dataset(name="other")
    DatasetVersion.objects.update(expires_at=timezone.now())
    delete_expired_files()
    assert http.get(f"/v1/files/{job.training_id}").json()["status_details"].endswith("jobs refer to it.")
    assert "jobs refer to it." in browser().get(reverse("dataset", args=[job.training_id])).content.decode()
    assert f"until {date_format(timezone.now())}" in browser().get(reverse("datasets")).content.decode()
    assert http.get(f"/v1/files/{other.id}").status_code == 404


@pytest.mark.parametrize(
    "fields",
    [
        {"expires_after[anchor]": "created_at"},
        {"expires_after[seconds]": "3600"},
        {"expires_after[anchor]": "created_at", "expires_after[seconds]": "3599"},
        {"expires_after[anchor]": "created_at", "expires_after[seconds]": "2592001"},
        {"expires_after[anchor]": "last_active_at", "expires_after[seconds]": "3600"},
        {"purpose": "fine-tune-results"},
        {"purpose": "anything"},
    ],
    ids=str,
)
def test_an_upload_for_an_impossible_time_or_purpose_is_refused(http: Client, fields: dict[str, str]) -> None:
    assert code(uploaded(http, **fields))
    assert not DatasetVersion.objects.exists()


def test_an_upload_says_how_long_its_file_lasts(http: Client) -> None:
    upload = begun(http, expires_after={"anchor": "created_at", "seconds": 3600})
    one = part(http, upload, ROWS).json()["id"]
    file = completed(http, upload, [one]).json()["file"]
    assert abs(file["expires_at"] - file["created_at"] - 3600) <= 1
