"""`/v1/files`: a file of rows is a dataset version."""

from pathlib import PurePath
from typing import Annotated, Any, Literal

from django.db.models import ProtectedError
from django.http import HttpRequest, StreamingHttpResponse
from ninja import File, Form, Query, Router, UploadedFile

from contracts.fault import Fault
from whetstone.accounts.scope import owned
from whetstone.api.bodies import download
from whetstone.api.caller import caller
from whetstone.api.openai.objects import file_json
from whetstone.api.openai.pages import page
from whetstone.datasets.delete import delete_version
from whetstone.datasets.ingest import ingest
from whetstone.datasets.models import DatasetVersion

router = Router(tags=["files"])


@router.post("")
def create(
    request: HttpRequest,
    file: File[UploadedFile],
    purpose: Annotated[str, Form(min_length=1, max_length=32)] = "fine-tune",
    dataset: Annotated[str, Form(max_length=128)] = "",
) -> dict[str, Any]:
    """Upload JSONL. `dataset` names the dataset whose next version it becomes; without it the file's name does."""
    who = caller(request)
    name = dataset.strip() or PurePath(file.name or "upload").stem or "upload"
    return file_json(ingest(who.user, who.team, file, name=name[:128], purpose=purpose))


@router.get("")
def list_files(
    request: HttpRequest,
    after: str | None = None,
    limit: Annotated[int, Query(ge=1, le=10000)] = 10000,
    order: Literal["asc", "desc"] = "desc",
    purpose: str | None = None,
) -> dict[str, Any]:
    rows = owned(DatasetVersion, caller(request).team).select_related("dataset", "blob")
    rows = rows.defer("offsets", "columns", "statistics", "mapping")
    rows = rows.filter(purpose=purpose) if purpose else rows
    return page(rows, file_json, after=after, limit=limit, newest_first=order == "desc")


@router.get("/{file_id}")
def retrieve(request: HttpRequest, file_id: str) -> dict[str, Any]:
    return file_json(_find(request, file_id))


@router.get("/{file_id}/content")
def content(request: HttpRequest, file_id: str) -> StreamingHttpResponse:
    version = _find(request, file_id)
    return download(version.blob, version.filename, "application/jsonl")


@router.delete("/{file_id}")
def delete(request: HttpRequest, file_id: str) -> dict[str, Any]:
    version = _find(request, file_id)
    try:
        delete_version(version)
    except ProtectedError as error:
        jobs = ", ".join(sorted(str(job.pk) for job in error.protected_objects)[:5])
        raise Fault("dataset.in_use", field="file_id", jobs=jobs) from None
    return {"id": file_id, "object": "file", "deleted": True}


def _find(request: HttpRequest, file_id: str) -> DatasetVersion:
    rows = owned(DatasetVersion, caller(request).team).select_related("dataset", "blob", "team")
    version = rows.filter(id=file_id).first()
    if version is None:
        raise Fault("dataset.not_found", field="file_id", dataset=file_id)
    return version
