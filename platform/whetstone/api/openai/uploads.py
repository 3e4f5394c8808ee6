"""`/v1/uploads`: files that are too large for one request."""

from typing import Annotated, Literal

from django.http import HttpRequest
from ninja import File, Router, Schema, UploadedFile
from pydantic import Field

from contracts.fault import Fault
from whetstone.accounts.scope import owned
from whetstone.api.caller import caller
from whetstone.api.openai.files import Purpose
from whetstone.api.openai.objects import part_json, upload_json
from whetstone.api.openai.schema import UploadJson, UploadPartJson
from whetstone.datasets.models import Upload
from whetstone.datasets.uploads import add_part, begin, cancel, complete

router = Router(tags=["uploads"])


class ExpiresAfter(Schema):
    anchor: Literal["created_at"]
    seconds: int = Field(ge=3600, le=2592000)


class NewUpload(Schema):
    size: Annotated[int, Field(alias="bytes", ge=1, le=2**40)]
    filename: str = Field(min_length=1, max_length=256)
    mime_type: str = Field(max_length=128)
    purpose: Purpose
    expires_after: ExpiresAfter | None = None


class Completion(Schema):
    part_ids: list[str] = Field(min_length=1, max_length=10_000)
    md5: str | None = Field(None, pattern="^[0-9a-fA-F]{32}$")


@router.post("")
def create(request: HttpRequest, body: NewUpload) -> UploadJson:
    """Announce a file. Its parts may come within an hour, in any order and several at once."""
    who = caller(request)
    lasts_s = body.expires_after.seconds if body.expires_after else None
    about = {"filename": body.filename, "purpose": body.purpose}
    return upload_json(begin(who.user, who.team, size=body.size, file_lasts_s=lasts_s, **about))


@router.post("/{upload_id}/parts")
def create_part(request: HttpRequest, upload_id: str, data: File[UploadedFile]) -> UploadPartJson:
    return part_json(add_part(_find(request, upload_id), data))


@router.post("/{upload_id}/complete")
def complete_upload(request: HttpRequest, upload_id: str, body: Completion) -> UploadJson:
    """Make the file of these parts, in this order."""
    return upload_json(complete(_find(request, upload_id), body.part_ids, body.md5))


@router.post("/{upload_id}/cancel")
def cancel_upload(request: HttpRequest, upload_id: str) -> UploadJson:
    return upload_json(cancel(_find(request, upload_id)))


def _find(request: HttpRequest, upload_id: str) -> Upload:
    rows = owned(Upload, caller(request).team).select_related("team", "created_by", "file__dataset", "file__blob")
    upload = rows.filter(id=upload_id).first()
    if upload is None:
        raise Fault("upload.not_found", field="upload_id", upload=upload_id)
    return upload
