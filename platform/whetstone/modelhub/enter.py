"""What an import has stored becomes a model of the hub, or is refused."""

from collections.abc import Mapping
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Q

from contracts.fault import Fault
from contracts.job import FileRef
from whetstone import clock
from whetstone.accounts.models import Team
from whetstone.accounts.scope import owned
from whetstone.artifacts.store import find, open_blob
from whetstone.modelhub.hold import Lost
from whetstone.modelhub.inspection.adapter import base_of, require_fit
from whetstone.modelhub.inspection.config import read_json
from whetstone.modelhub.inspection.header import LENGTH, Tensor, header_length, read_header
from whetstone.modelhub.inspection.names import ADAPTER_CONFIG, CONFIG
from whetstone.modelhub.inspection.verdict import Read, inspect
from whetstone.modelhub.models import Import, Model

Weights = dict[str, dict[str, Tensor]]


def enter(one: Import, read: Read) -> Model:
    """Exactly one model, whoever else carries the import out. Raises Fault with what is wrong with it."""
    files = list(one.files.all())
    weights = {file.path: _tensors(file.tensors) for file in files if file.tensors is not None}
    refs = [FileRef(path=file.path, sha256=file.sha256, size=file.size) for file in files]
    about = _whole(read, weights) if any(ref.path == CONFIG for ref in refs) else _adapter(one.team, read, weights)
    return _keep(one, refs, about)


def _tensors(told: dict[str, list[Any]]) -> dict[str, Tensor]:  # Any: as it was written down
    return {name: Tensor(dtype, tuple(shape)) for name, (dtype, shape) in told.items()}


def _whole(read: Read, weights: Weights) -> dict[str, Any]:  # Any: fields of a model
    found = inspect(read, weights)
    return {
        "config": found.config,
        "task": found.task,
        "parameters": found.parameters,
        "active_parameters": found.active_parameters,
        "dtype": found.dtype,
        "quantization": found.quantization,
        "context_length": found.context_length,
        "license": found.license,
    }


def _adapter(team: Team, read: Read, weights: Weights) -> dict[str, Any]:  # Any: fields of a model
    """It is told as what it makes of its base."""
    name = base_of(read_json(read(ADAPTER_CONFIG) or b"", ADAPTER_CONFIG))
    named = owned(Model, team).filter(Q(name=name) | Q(source__startswith=f"hf:{name}@"))
    base = named.select_related("team").order_by("created_at").first()
    if base is None or base.is_adapter:
        raise Fault("adapter.no_base", base=name)
    require_fit(base.name, {n: one for file in weights.values() for n, one in file.items()}, stored_tensors(base))
    told = ("config", "task", "parameters", "active_parameters", "dtype", "quantization", "context_length", "license")
    return {"base": base} | {field: getattr(base, field) for field in told}


def stored_tensors(model: Model) -> dict[str, Tensor]:
    """What the headers of a model's weights say. Raises Fault artifact.lost or model.broken_weights."""
    found: dict[str, Tensor] = {}
    for file in model.manifest:
        if file.path.endswith(".safetensors") and "/" not in file.path:
            found |= _stored_header(model.team, file)
    return found


def _stored_header(team: Team, file: FileRef) -> Mapping[str, Tensor]:
    blob = find(team, file.sha256)
    if blob is None:
        raise Fault("artifact.lost", path=file.path)
    with open_blob(blob) as content:
        length = header_length(content.read(LENGTH), file.path, file.size)
        return read_header(content.read(length), file.path, file.size - LENGTH - length)


def _keep(one: Import, refs: list[FileRef], about: dict[str, Any]) -> Model:  # Any: fields of a model
    try:
        with transaction.atomic():
            mine = Import.objects.select_for_update().filter(id=one.id, attempt=one.attempt, state="running").first()
            if mine is None:
                raise Lost
            model = Model.objects.create(
                team=one.team,
                name=one.name,
                origin=Model.Origin.IMPORTED,
                files=[ref.model_dump(mode="json") for ref in refs],
                source=one.source,
                left_out=one.left_out,
                created_by=one.created_by,
                **about,
            )
            mine.state, mine.model, mine.lease_until, mine.finished_at = "succeeded", model, None, clock.now()
            mine.bytes_done = mine.bytes_total
            mine.save(update_fields=["state", "model", "lease_until", "finished_at", "bytes_done"])
            mine.files.update(tensors=None)
            return model
    except IntegrityError:
        raise Fault("import.name_taken", field="name", model=one.name) from None
