"""`/v1/models`."""

from typing import Any

from django.http import HttpRequest
from ninja import Router

from whetstone.accounts.scope import owned
from whetstone.api.caller import caller
from whetstone.api.openai.objects import model_json
from whetstone.modelhub.find import find_model
from whetstone.modelhub.models import Model

router = Router(tags=["models"])


@router.get("")
def list_models(request: HttpRequest) -> dict[str, Any]:
    rows = owned(Model, caller(request).team).select_related("team").defer("files", "config")
    return {"object": "list", "data": [model_json(model) for model in rows]}


@router.get("/{path:model}")
def retrieve(request: HttpRequest, model: str) -> dict[str, Any]:
    return model_json(find_model(caller(request).team, model))
