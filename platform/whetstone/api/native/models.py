"""Models: what is known of one, and taking it along."""

from typing import Annotated

from django.http import HttpRequest, StreamingHttpResponse
from ninja import Router
from typing_extensions import TypedDict  # Pydantic reads no other before Python 3.12

from contracts.fault import Fault
from contracts.job import FileRef
from whetstone.api.answers import described, one_of
from whetstone.api.bodies import archive, resumable
from whetstone.api.caller import caller
from whetstone.jobs.provenance import facts_of, origin_of
from whetstone.modelhub.export import file_name, package, stored
from whetstone.modelhub.find import find_model
from whetstone.modelhub.models import Model
from whetstone.modelhub.parts import Part, of_model

router = Router(tags=["models"])


@described
class ModelJson(TypedDict):
    name: str
    origin: Annotated[str, one_of(*Model.Origin.values)]
    base: str | None
    job: str | None
    """The job that made it, or the one whose checkpoint at `step` it was."""
    step: int | None
    parameters: int
    context_length: int
    license: str | None
    created_at: int
    has_adapter: bool
    files: list[FileRef]


def model_json(model: Model) -> ModelJson:
    origin = origin_of(model)
    return {
        "name": model.name,
        "origin": model.origin,
        "base": model.base.name if model.base else None,
        "job": origin.job.id if origin else None,
        "step": origin.step if origin else None,
        "parameters": model.parameters,
        "context_length": model.context_length,
        "license": model.license or None,
        "created_at": int(model.created_at.timestamp()),
        "has_adapter": model.has_adapter,
        "files": [*model.manifest],
    }


@router.get("/{path:name}/export")
def export_model(request: HttpRequest, name: str, part: Part = "model") -> StreamingHttpResponse:
    """A tar of the whole model (an adapter is merged into it), or of the adapter alone, as PEFT reads it."""
    team = caller(request).team
    model = find_model(team, name, param="name")
    files = of_model(model.manifest, part)
    if not files:
        raise Fault(f"{part}.not_found", field="name", model=name)
    title = name if part == "model" else f"Adapter of {name}"
    entries = package(team, files, title, facts_of(model), base=model.base.name if model.base else name)
    return archive(entries, model.created_at, file_name(name, ".tar" if part == "model" else ".adapter.tar"))


@router.get("/{path:name}/files/{path:file}")
def model_file(request: HttpRequest, name: str, file: str) -> StreamingHttpResponse:
    """One file, as it is stored. `Range: bytes=N-` goes on where a download broke off."""
    team = caller(request).team
    model = find_model(team, name, param="name")
    found = next((one for one in model.manifest if one.path == file), None)
    if found is None:
        raise Fault("file.not_found", field="file", model=name, file=file)
    return resumable(request, stored(team, found), file_name(file.rpartition("/")[2], ""))


@router.get("/{path:name}")
def retrieve(request: HttpRequest, name: str) -> ModelJson:
    return model_json(find_model(caller(request).team, name, param="name"))
