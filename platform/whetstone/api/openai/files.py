"""`/v1/files`: a file of rows is a dataset version. The numbers of jobs that have ended are files, too."""

from datetime import timedelta
from pathlib import PurePath
from typing import Annotated, Literal

from django.db.models import ProtectedError
from django.http import HttpRequest, StreamingHttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from ninja import File, Form, Query, Router, UploadedFile

from contracts.fault import Fault
from whetstone.accounts.scope import owned
from whetstone.api.answers import Page
from whetstone.api.bodies import download
from whetstone.api.caller import caller
from whetstone.api.openai.objects import file_json, result_json
from whetstone.api.openai.pages import page_of
from whetstone.api.openai.schema import Deleted, FileJson
from whetstone.datasets.delete import delete_version
from whetstone.datasets.ingest import ingest
from whetstone.datasets.models import DatasetVersion
from whetstone.jobs.models import ResultFile
from whetstone.jobs.results import FILENAME, PURPOSE

router = Router(tags=["files"])
Purpose = Literal["assistants", "batch", "fine-tune", "vision", "user_data", "evals"]
"""What a file may be uploaded for; it is kept and shown. “fine-tune-results” are written by jobs alone."""


@router.post("")
def create(
    request: HttpRequest,
    file: File[UploadedFile],
    purpose: Annotated[Purpose, Form()] = "fine-tune",
    dataset: Annotated[str, Form(max_length=128)] = "",
    anchor: Annotated[Literal["created_at"] | None, Form(alias="expires_after[anchor]")] = None,
    seconds: Annotated[int | None, Form(alias="expires_after[seconds]", ge=3600, le=2592000)] = None,
) -> FileJson:
    """Upload JSONL. `dataset` names the dataset whose next version it becomes; without it the file's name does.
    `expires_after[seconds]`, from an hour to thirty days: then it is deleted, unless a job uses it."""
    who = caller(request)
    if (anchor is None) != (seconds is None):
        raise Fault("request.invalid", field="expires_after", detail=_("Give both the anchor and the seconds."))
    name = dataset.strip() or PurePath(file.name or "upload").stem or "upload"
    expires_at = timezone.now() + timedelta(seconds=seconds) if seconds is not None else None
    made = ingest(who.user, who.team, file, name=name[:128], purpose=purpose, expires_at=expires_at)
    return file_json(made)


@router.get("")
def list_files(
    request: HttpRequest,
    after: str | None = None,
    limit: Annotated[int, Query(ge=1, le=10000)] = 10000,
    order: Literal["asc", "desc"] = "desc",
    purpose: str | None = None,
) -> Page[FileJson]:
    team = caller(request).team
    rows = owned(DatasetVersion, team).select_related("dataset", "blob")
    rows = rows.defer("offsets", "columns", "statistics", "mapping")
    results = owned(ResultFile, team).exclude(blob=None).select_related("blob")
    rows = rows.filter(purpose=purpose) if purpose else rows
    results = results if purpose in (None, PURPOSE) else results.none()
    return page_of((rows, results), _json, after=after, limit=limit, newest_first=order == "desc")


def _json(file: DatasetVersion | ResultFile) -> FileJson:
    return result_json(file) if isinstance(file, ResultFile) else file_json(file)


@router.get("/{file_id}")
def retrieve(request: HttpRequest, file_id: str) -> FileJson:
    return _json(_find(request, file_id))


@router.get("/{file_id}/content")
def content(request: HttpRequest, file_id: str) -> StreamingHttpResponse:
    file = _find(request, file_id)
    if isinstance(file, DatasetVersion):
        return download(file.blob, file.filename, "application/jsonl")
    assert file.blob  # one that was deleted is not found
    return download(file.blob, FILENAME, "text/csv")


@router.delete("/{file_id}")
def delete(request: HttpRequest, file_id: str) -> Deleted:
    file = _find(request, file_id)
    if isinstance(file, ResultFile):
        file.blob = None
        file.save(update_fields=["blob"])
    else:
        _delete_version(file)
    return {"id": file_id, "object": "file", "deleted": True}


def _delete_version(version: DatasetVersion) -> None:
    try:
        delete_version(version)
    except ProtectedError as error:
        jobs = ", ".join(sorted(str(job.pk) for job in error.protected_objects)[:5])
        raise Fault("dataset.in_use", field="file_id", jobs=jobs) from None


def _find(request: HttpRequest, file_id: str) -> DatasetVersion | ResultFile:
    team = caller(request).team
    version = owned(DatasetVersion, team).select_related("dataset", "blob", "team").filter(id=file_id).first()
    found = version or owned(ResultFile, team).exclude(blob=None).select_related("blob").filter(id=file_id).first()
    if found is None:
        raise Fault("dataset.not_found", field="file_id", dataset=file_id)
    return found
