"""`/v1/models`."""

from django.db.models import QuerySet
from django.http import HttpRequest
from ninja import Router

from contracts.fault import Fault
from whetstone.accounts.models import Team
from whetstone.accounts.scope import owned
from whetstone.api.answers import Listing
from whetstone.api.caller import caller
from whetstone.api.openai.objects import checkpoint_model_json, deployment_model_json, model_json
from whetstone.api.openai.schema import Deleted, OpenAIModelJson
from whetstone.deployments.models import Deployment
from whetstone.jobs.discard import delete_model
from whetstone.jobs.named import find_named
from whetstone.jobs.permissions import owner_of
from whetstone.modelhub.find import find_model
from whetstone.modelhub.models import Model

router = Router(tags=["models"])


@router.get("")
def list_models(request: HttpRequest) -> Listing[OpenAIModelJson]:
    """Those of the hub, and the deployments that answer to names of their own: each can be the `model` of a chat."""
    team = caller(request).team
    rows = owned(Model, team).select_related("team").defer("files", "config")
    models = [model_json(model) for model in rows]
    named = {model["id"] for model in models}
    served = [one for one in _deployments(team).filter(is_off=False) if one.name not in named]
    return {"object": "list", "data": [*(deployment_model_json(one) for one in served), *models]}


def _deployments(team: Team) -> "QuerySet[Deployment]":
    """With what a model's object tells of them, and no more: their logs are long."""
    return owned(Deployment, team).select_related("team").only("name", "created_at", "team__slug", "model")


@router.get("/{path:model}")
def retrieve(request: HttpRequest, model: str) -> OpenAIModelJson:
    """A model of the hub, a checkpoint or a deployment by its name, or one that another team has permitted this one to
    see."""
    team = caller(request).team
    try:
        return _shown(owner_of(team, model) or team, model)
    except Fault:
        deployment = _deployments(team).filter(name=model).first()
        if deployment is None:
            raise
        return deployment_model_json(deployment)


def _shown(team: Team, name: str) -> OpenAIModelJson:
    checkpoint = find_named(team, name)
    if checkpoint is None:
        return model_json(find_model(team, name))
    kept = checkpoint[1].model  # maybe under another name
    return checkpoint_model_json(*checkpoint) if kept is None else model_json(kept)


@router.delete("/{path:model}")
def delete(request: HttpRequest, model: str) -> Deleted:
    """Of the team that owns it; refused while a job refers to it."""
    who = caller(request)
    delete_model(who.user, find_model(who.team, model))
    return {"id": model, "object": "model", "deleted": True}
