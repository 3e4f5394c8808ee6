"""The states a deployment can be in, and the one function that moves it from one to another."""

from contracts.fault import Fault, FaultReport
from whetstone import clock
from whetstone.deployments.models import Deployment

Status, Reason = Deployment.Status, Deployment.Reason
EDGES: dict[str, frozenset[str]] = {
    Status.QUEUED: frozenset({Status.LOADING, Status.STOPPED}),
    Status.LOADING: frozenset({Status.READY, Status.QUEUED, Status.STOPPING, Status.STOPPED, Status.FAILED}),
    Status.READY: frozenset({Status.STOPPING, Status.QUEUED, Status.STOPPED, Status.FAILED}),
    # Asked again before its host has let it go, it is ready as if nothing had been.
    Status.STOPPING: frozenset({Status.LOADING, Status.READY, Status.QUEUED, Status.STOPPED, Status.FAILED}),
    Status.STOPPED: frozenset({Status.QUEUED}),
    Status.FAILED: frozenset({Status.QUEUED, Status.STOPPED}),
}


def move(deployment: Deployment, to: str, reason: str, fault: FaultReport | None = None) -> None:
    """Take a deployment to another state. The caller holds its row lock.

    Raises:
        Fault: deployment.not_possible, when no edge leads there.
    """
    if to not in EDGES[deployment.status]:
        raise Fault("deployment.not_possible", status=deployment.status, wanted=to)
    deployment.status, deployment.reason, deployment.changed_at = to, reason, clock.now()
    deployment.fault = fault.model_dump(mode="json") if fault else None
    if not deployment.is_held:
        _release(deployment)
    deployment.save()


def _release(deployment: Deployment) -> None:
    """What its host counted stays counted."""
    deployment.counted_before = deployment.counts.model_copy(update={"tokens_per_s": 0.0}).model_dump(mode="json")
    deployment.counted = {}
    deployment.host, deployment.token_hash = None, ""
    deployment.running = deployment.waiting = 0
