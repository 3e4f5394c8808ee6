"""Models: which there are, what is known of one, and taking it along."""

from typing import Annotated

from django.http import HttpRequest, StreamingHttpResponse
from ninja import Query, Router, Schema
from pydantic import Field, JsonValue
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
from whetstone.modelhub.search import Search
from whetstone.modelhub.template import SAMPLE, rendered

router = Router(tags=["models"])


@described
class Card(TypedDict):
    """What a list tells of each."""

    name: str
    origin: Annotated[str, one_of(*Model.Origin.values)]
    task: Annotated[str, one_of(*Model.Task.values)]
    source: str | None
    """Where an imported one comes from."""
    base: str | None
    architecture: str | None
    parameters: int
    active_parameters: int | None
    """What one token passes through, where the model has experts."""
    context_length: int
    dtype: str | None
    quantization: str | None
    size: int
    """Bytes of all files."""
    license: str | None
    created_at: int


class Cards(TypedDict):
    data: list[Card]
    total: int


class Rendered(TypedDict):
    text: str


@described
class ModelJson(Card):
    job: str | None
    """The job that made it, or the one whose checkpoint at `step` it was."""
    step: int | None
    is_adapter: bool
    """Whether it is an adapter alone, which a worker merges into its base."""
    left_out: list[str]
    """Files that lay where it was imported from and did not come along."""
    has_adapter: bool
    files: list[FileRef]


def card_json(model: Model) -> Card:
    return {
        "name": model.name,
        "origin": model.origin,
        "task": model.task,
        "source": model.source or None,
        "base": model.base.name if model.base else None,
        "architecture": model.architecture or None,
        "parameters": model.parameters,
        "active_parameters": model.active_parameters,
        "context_length": model.context_length,
        "dtype": model.dtype or None,
        "quantization": model.quantization or None,
        "size": model.size,
        "license": model.license or None,
        "created_at": int(model.created_at.timestamp()),
    }


def model_json(model: Model) -> ModelJson:
    origin = origin_of(model)
    return {
        **card_json(model),
        "job": origin.job.id if origin else None,
        "step": origin.step if origin else None,
        "is_adapter": model.is_adapter,
        "left_out": model.left_out,
        "has_adapter": model.has_adapter,
        "files": [*model.manifest],
    }


@router.get("")
def list_models(
    request: HttpRequest,
    search: Annotated[str, Query(max_length=200)] = "",
    origin: Annotated[str, Query(max_length=16)] = "",
    architecture: Annotated[str, Query(max_length=128)] = "",
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    offset: Annotated[int, Query(ge=0, le=2**31 - 1)] = 0,
) -> Cards:
    """Newest first, a page at a time; `search` looks for words in name, source and licence."""
    found = Search(search, origin, architecture).models(caller(request).team)
    return {"data": [card_json(model) for model in found[offset : offset + limit]], "total": found.count()}


class Conversation(Schema):
    messages: list[dict[str, JsonValue]] = Field(SAMPLE, min_length=1, max_length=100)


@router.post("/{path:name}/template")
def render_template(request: HttpRequest, name: str, body: Conversation) -> Rendered:
    """A conversation as the model would read it: its chat template, run in a jail and for two seconds at most."""
    model = find_model(caller(request).team, name, param="name")
    return {"text": rendered(model, [*body.messages])}


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
