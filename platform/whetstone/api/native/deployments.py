"""Deployments: models that are served under a name, started and stopped, with what their engines say and count."""

from typing import Annotated

from django.http import HttpRequest
from ninja import Router, Status
from pydantic import Field
from typing_extensions import TypedDict  # Pydantic reads no other before Python 3.12

from contracts.serving import Counts
from whetstone.accounts.scope import owned
from whetstone.api.answers import Everything, described, one_of
from whetstone.api.caller import caller
from whetstone.api.errors import ErrorJson, fault_json
from whetstone.deployments import deploy
from whetstone.deployments.deploy import DeploymentChange, NewDeployment, find_deployment
from whetstone.deployments.exchange import nudge
from whetstone.deployments.models import Deployment

router = Router(tags=["deployments"])


@described
class StatsJson(TypedDict):
    requests: int
    """Since it was made, on whichever machines."""
    errors: int
    """Requests that the engine refused, or broke off."""
    cancelled: int
    """Requests whose client left before the end."""
    prompt_tokens: int
    tokens: int
    """Written."""
    scores: int
    """Conversations that a reward model was asked about."""
    tokens_per_s: float
    """Over the last ten seconds: written, and of a reward model read."""
    first_token_ms: float | None
    """Median of the last hundred streamed requests, within the engine; of a reward model until it had the scores."""
    running: int
    """Answers that are being written, or scored."""
    waiting: int


@described
class DeploymentJson(TypedDict):
    id: str
    object: Annotated[str, one_of("deployment")]
    name: str
    """The `model` of a request to `/v1/chat/completions`, or to `/api/v1/scores`."""
    model: str
    """What it serves."""
    task: Annotated[str, one_of("text", "reward")]
    """Whether it writes, or scores."""
    base: str | None
    """The model that an adapter alone is laid over, and that other deployments may share."""
    is_on_demand: bool
    """Whether it began with a request for the model, and not by somebody's wish."""
    status: Annotated[str, one_of(*Deployment.Status.values)]
    reason: Annotated[str, one_of(*Deployment.Reason.values)]
    """Why it came into this state."""
    is_off: bool
    """Whether somebody stopped it. Any other is loaded when it is asked."""
    pool: str
    host: str | None
    idle_minutes: int | None
    """Without a request, until it is let go. null: it stays loaded, always."""
    error: ErrorJson | None
    stats: StatsJson
    created_at: int
    changed_at: int
    """When it came into this state."""
    asked_at: int


@described
class DeploymentLog(TypedDict):
    lines: list[str]
    """The engine's last ones. Times are UTC."""


@router.get("")
def list_deployments(request: HttpRequest) -> Everything[DeploymentJson]:
    """Newest first."""
    rows = owned(Deployment, caller(request).team).select_related("host")
    return {"data": [deployment_json(one) for one in rows]}


@router.post("")
def create_deployment(request: HttpRequest, body: NewDeployment) -> DeploymentJson:
    """Serve a model, or a checkpoint, under a name. It is loaded as soon as an engine has room."""
    who = caller(request)
    return deployment_json(nudge(deploy.deploy(who.user, who.team, body)))


@router.get("/{deployment_id}")
def retrieve_deployment(request: HttpRequest, deployment_id: str) -> DeploymentJson:
    return deployment_json(_find(request, deployment_id))


@router.patch("/{deployment_id}")
def change_deployment(request: HttpRequest, deployment_id: str, body: DeploymentChange) -> DeploymentJson:
    """What is left out stays as it is."""
    return deployment_json(deploy.change(_find(request, deployment_id), body))


@router.post("/{deployment_id}/start")
def start_deployment(request: HttpRequest, deployment_id: str) -> DeploymentJson:
    """Load it, with the files that its model has now. One that runs goes on."""
    return deployment_json(nudge(deploy.start(_find(request, deployment_id))))


@router.post("/{deployment_id}/stop")
def stop_deployment(request: HttpRequest, deployment_id: str) -> DeploymentJson:
    """What it writes is written to the end. It is loaded again when it is started, and on demand when it is asked."""
    return deployment_json(nudge(deploy.stop(_find(request, deployment_id))))


@router.delete("/{deployment_id}", response={204: None})
def delete_deployment(request: HttpRequest, deployment_id: str) -> Status[None]:
    """Its counts, log and serving tests are lost, and what it writes breaks off. The model stays."""
    found = _find(request, deployment_id)
    host = found.host
    found.delete()
    nudge(found, host)
    return Status(204, None)


@router.get("/{deployment_id}/stats")
def deployment_stats(request: HttpRequest, deployment_id: str) -> StatsJson:
    return stats_json(_find(request, deployment_id))


@router.get("/{deployment_id}/log")
def deployment_log(
    request: HttpRequest, deployment_id: str, last: Annotated[int, Field(ge=1, le=1000)] = 200
) -> DeploymentLog:
    return {"lines": _find(request, deployment_id).log.splitlines()[-last:]}


def _find(request: HttpRequest, deployment_id: str) -> Deployment:
    return find_deployment(caller(request).team, deployment_id)


def deployment_json(one: Deployment) -> DeploymentJson:
    report = one.fault_report
    return {
        "id": one.id,
        "object": "deployment",
        "name": one.name,
        "model": one.serves,
        "task": one.ref.task,
        "base": one.ref.name if one.adapter else None,
        "is_on_demand": one.is_on_demand,
        "status": one.status,
        "reason": one.reason,
        "is_off": one.is_off,
        "pool": one.pool or deploy.AUTO,
        "host": one.host.name if one.host else None,
        "idle_minutes": None if one.idle_s is None else one.idle_s // 60,
        "error": fault_json(report) if report else None,
        "stats": stats_json(one),
        "created_at": int(one.created_at.timestamp()),
        "changed_at": int(one.changed_at.timestamp()),
        "asked_at": int(one.asked_at.timestamp()),
    }


def stats_json(one: Deployment) -> StatsJson:
    counts: Counts = one.counts
    return {
        "requests": counts.requests,
        "errors": counts.errors,
        "cancelled": counts.cancelled,
        "prompt_tokens": counts.prompt_tokens,
        "tokens": counts.tokens,
        "scores": counts.scores,
        "tokens_per_s": counts.tokens_per_s,
        "first_token_ms": counts.first_token_ms,
        "running": one.running,
        "waiting": one.waiting,
    }
