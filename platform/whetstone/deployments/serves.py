"""What a deployment puts into memory: a whole model, or an adapter over a base that it shares with others."""

import orjson

from contracts.fault import Fault
from contracts.job import FileRef, ModelRef
from contracts.method import Task
from whetstone.accounts.models import Team
from whetstone.accounts.scope import owned
from whetstone.artifacts.store import find, open_blob
from whetstone.deployments.models import Deployment
from whetstone.jobs.keep import model_of
from whetstone.jobs.named import find_named
from whetstone.modelhub.models import Model
from whetstone.modelhub.parts import of_model

LARGEST_CONFIG = 1 << 20


def find_served(team: Team, name: str) -> Model:
    """A model of the hub, or what a checkpoint would be as one. It has weights.

    Raises:
        Fault: deployment.model_missing, .no_weights, checkpoint.is_adapter.
    """
    named = find_named(team, name)
    model = model_of(*named) if named else owned(Model, team).select_related("base").filter(name=name).first()
    if model is None:
        raise Fault("deployment.model_missing", field="model", model=name)
    if not model.has_weights:
        raise Fault("deployment.no_weights", field="model", model=name)
    return model


def require_task(name: str, task: str, wanted: Task) -> None:
    """Raises Fault deployment.writes_no_text or .gives_no_score."""
    if task != wanted:
        code = "deployment.writes_no_text" if wanted == "text" else "deployment.gives_no_score"
        raise Fault(code, field="model", model=name)


def can_share(model: Model) -> bool:
    """Whether its adapter alone can be laid over the base that it was trained on."""
    try:
        _laid_over(model)
    except Fault:
        return False
    return True


def lay_out(deployment: Deployment, model: Model) -> None:
    """Write down which files it takes, as they are now. Not stored yet.

    Raises:
        Fault: deployment.no_base, deployment.no_adapter, engine.unfit_adapter.
    """
    ref, adapter = _laid_over(model) if model.is_adapter or deployment.shares_base else (_whole(model), ())
    deployment.source = model if model.pk else None
    deployment.model = ref.model_dump(mode="json")
    deployment.adapter = [file.model_dump(mode="json") for file in adapter]


def _whole(model: Model) -> ModelRef:
    return model.ref().model_copy(update={"files": tuple(of_model(model.manifest, "model"))})


def _laid_over(model: Model) -> tuple[ModelRef, tuple[FileRef, ...]]:
    if model.task == Model.Task.REWARD:
        raise Fault("engine.unfit_adapter", field="model", model=model.name, detail="it brings a reward model's head")
    adapter = tuple(model.manifest if model.is_adapter else of_model(model.manifest, "adapter"))
    if not adapter:
        raise Fault("deployment.no_adapter", field="shares_base", model=model.name)
    if model.base is None or not model.base.has_weights or model.base.is_adapter:
        raise Fault("deployment.no_base", field="model", model=model.name)
    if detail := _unfit(model.team, adapter):
        raise Fault("engine.unfit_adapter", field="model", model=model.name, detail=detail)
    return _whole(model.base), adapter


def _unfit(team: Team, adapter: tuple[FileRef, ...]) -> str:
    """Why it cannot lie beside others: what changes more than the layers' sums would change them for everybody."""
    file = next((one for one in adapter if one.path == "adapter_config.json"), None)
    blob = find(team, file.sha256) if file else None
    if blob is None or blob.size > LARGEST_CONFIG:
        return "its adapter_config.json is missing"
    with open_blob(blob) as content:
        try:
            config = orjson.loads(content.read())
        except orjson.JSONDecodeError:
            config = None
    if not isinstance(config, dict):
        return "its adapter_config.json is no JSON"
    named = {name: config.get(name) for name in ("use_dora", "modules_to_save")}
    changed = [name for name, value in named.items() if value]
    return f"it has {changed[0]}" if changed else "" if config.get("bias", "none") == "none" else "it changes biases"
