"""Imports: models on their way into the hub, from a hub of models, a folder of the server, or sent in parts."""

from typing import Annotated, Literal

from django.http import HttpRequest
from ninja import Query, Router, Schema
from pydantic import ConfigDict, Field
from typing_extensions import TypedDict  # Pydantic reads no other before Python 3.12

from contracts.fault import Fault
from contracts.job import Sha256
from whetstone.accounts.models import Scope
from whetstone.accounts.scope import owned
from whetstone.api.answers import Everything, described, one_of
from whetstone.api.caller import Caller, caller
from whetstone.api.errors import ErrorJson, fault_json
from whetstone.evaluators.judges import find_secret
from whetstone.modelhub.begin import (
    again,
    cancel,
    find_import,
    from_folder,
    from_hub,
    from_upload,
    send,
    sizes_received,
)
from whetstone.modelhub.inspection.names import MOST_FILES
from whetstone.modelhub.models import Import
from whetstone.modelhub.sources import Listed

router = Router(tags=["imports"])
Path = Annotated[str, Field(min_length=1, max_length=512, pattern=r"^[^\\]+$")]


class HubSource(Schema):
    """A model of Hugging Face's hub, or of the mirror that the operator has named."""

    model_config = ConfigDict(extra="forbid")

    type: Literal["hub"]
    repo: str = Field(min_length=3, max_length=200)
    """ORGANISATION/NAME."""
    revision: str = Field("", max_length=200, pattern=r"^[\w./-]*$")
    """A branch, a tag or a commit. Without: the main branch."""
    token: str = Field("", max_length=64)
    """The name of the secret that is shown to the hub."""


class FolderSource(Schema):
    """A folder of the server, below those that the operator allows."""

    model_config = ConfigDict(extra="forbid")

    type: Literal["folder"]
    folder: str = Field(min_length=1, max_length=1024)


class Announced(Schema):
    model_config = ConfigDict(extra="forbid")

    path: Path
    size: int = Field(ge=0, le=2**40)
    sha256: Sha256 | None = None


class UploadSource(Schema):
    """Files that are sent next, each with `PUT /api/v1/imports/{import_id}/files/{path}`."""

    model_config = ConfigDict(extra="forbid")

    type: Literal["upload"]
    files: list[Announced] = Field(min_length=1, max_length=MOST_FILES)


class NewImport(Schema):
    model_config = ConfigDict(extra="forbid")

    source: Annotated[HubSource | FolderSource | UploadSource, Field(discriminator="type")]
    name: str = Field("", max_length=200)
    """What the model is called here. Without: as it is called there."""


@described
class ImportJson(TypedDict):
    id: str
    name: str
    source: str
    state: Annotated[str, one_of(*Import.State.values)]
    bytes_done: int
    bytes_total: int | None
    """Nothing as long as nobody has seen the files."""
    left_out: list[str]
    """Files that are there and do not come along."""
    model: str | None
    """The model that it became."""
    error: ErrorJson | None
    """Why it failed, or why it is tried again."""
    created_at: int
    finished_at: int | None


@described
class SentFile(TypedDict):
    path: str
    size: int
    sha256: str | None
    """Of what is stored."""
    received: int | None
    """Bytes that have come, of an upload that is not whole yet."""


class ImportWithFiles(ImportJson):
    files: list[SentFile]


class Received(TypedDict):
    path: str
    received: int


@router.get("")
def list_imports(request: HttpRequest, limit: Annotated[int, Query(ge=1, le=100)] = 20) -> Everything[ImportJson]:
    """Newest first."""
    rows = owned(Import, caller(request).team).select_related("model")[:limit]
    return {"data": [import_json(one) for one in rows]}


@router.post("")
def create(request: HttpRequest, body: NewImport) -> ImportJson:
    """Begin one. It goes on by itself, whoever looks; an upload when all its files have come."""
    return import_json(begun(caller(request), body))


def begun(who: Caller, body: NewImport) -> Import:
    """Raises Fault with what is wrong with the source or the name."""
    match body.source:
        case HubSource(repo=repo, revision=revision, token=token):
            secret = find_secret(who.team, token, param="source.token") if token else None
            return from_hub(who.user, who.team, repo, revision=revision, token=secret, name=body.name)
        case FolderSource(folder=folder):
            if who.key is not None and Scope.ADMIN not in who.key.scopes:
                raise Fault("folder.admins_only", field="source.folder")
            return from_folder(who.user, who.team, folder, name=body.name)
        case UploadSource(files=files):
            announced = {one.path: Listed(one.size, one.sha256 or "") for one in files}
            return from_upload(who.user, who.team, announced, name=body.name)


@router.get("/{import_id}")
def retrieve(request: HttpRequest, import_id: str) -> ImportWithFiles:
    """With its files; of an upload also how many bytes of each have come."""
    one = find_import(caller(request).team, import_id)
    came = sizes_received(one) if one.state == Import.State.UPLOADING else {}
    files: list[SentFile] = [
        {"path": file.path, "size": file.size, "sha256": file.sha256 or None, "received": came.get(file.path)}
        for file in one.files.defer("tensors")
    ]
    return {**import_json(one), "files": files}


@router.put("/{import_id}/files/{path:path}")
def send_part(
    request: HttpRequest, import_id: str, path: str, offset: Annotated[int, Query(ge=0, le=2**40)] = 0
) -> Received:
    """The next bytes of a file, as the body of the request: at most 10 MB at a time, from `offset` on."""
    one = find_import(caller(request).team, import_id)
    return {"path": path, "received": send(one, path, offset, request.body)}


@router.post("/{import_id}/cancel")
def cancel_import(request: HttpRequest, import_id: str) -> ImportJson:
    one = find_import(caller(request).team, import_id)
    cancel(one)
    return import_json(find_import(one.team, one.id))


@router.post("/{import_id}/retry")
def retry_import(request: HttpRequest, import_id: str) -> ImportJson:
    """Once more, with what is not stored yet."""
    one = find_import(caller(request).team, import_id)
    again(one)
    return import_json(find_import(one.team, one.id))


def import_json(one: Import) -> ImportJson:
    report = one.fault_report
    return {
        "id": one.id,
        "name": one.name,
        "source": one.source,
        "state": one.state,
        "bytes_done": one.bytes_done,
        "bytes_total": one.bytes_total or None,
        "left_out": one.left_out,
        "model": one.model.name if one.model else None,
        "error": fault_json(report) if report else None,
        "created_at": int(one.created_at.timestamp()),
        "finished_at": int(one.finished_at.timestamp()) if one.finished_at else None,
    }
