"""A model is asked by name: find its deployment, or begin one."""

from dataclasses import dataclass
from datetime import timedelta

from django.db import IntegrityError, transaction

from contracts.fault import Fault
from whetstone import clock
from whetstone.accounts.models import Team
from whetstone.accounts.scope import owned
from whetstone.deployments.models import SILENT_AFTER, Deployment, Host
from whetstone.deployments.room import needed_gb
from whetstone.deployments.standing import Standing, standing_of
from whetstone.jobs.keep import model_of
from whetstone.jobs.named import find_named
from whetstone.jobs.permissions import owner_of
from whetstone.modelhub.models import Model

TOUCH_AFTER = timedelta(seconds=15)
AGAIN_AFTER = timedelta(seconds=60)
"""How long a model that could not be loaded is not tried again."""
Status = Deployment.Status


@dataclass(frozen=True)
class Called:
    """A deployment as it was found."""

    id: str
    name: str
    standing: Standing
    hosts: tuple[str, ...]
    """Who could load it, while it is not ready."""


def call(team: Team, name: str) -> Called:
    """Find the deployment of the model that is asked by this name. It is started when it does not run.

    Raises:
        Fault: deployment.model_missing, .writes_no_text, .no_weights, .is_adapter, .no_engine, .no_room, .failed.
    """
    owner = owner_of(team, name) or team
    found = owned(Deployment, owner).select_related("host", "team").filter(name=name).first() or _begin(owner, name)
    now = clock.now()
    hosts = () if found.status == Status.READY else _hosts(found)
    if found.status == Status.FAILED and now - found.changed_at < AGAIN_AFTER:
        report = found.fault_report
        raise Fault("deployment.failed", model=name, detail=report.message if report else "")
    if found.status in (Status.STOPPED, Status.FAILED) or not found.is_wanted:
        _start_again(found)
    elif now - found.asked_at > TOUCH_AFTER:
        Deployment.objects.filter(id=found.id).update(asked_at=now)
    return Called(found.id, name, standing_of(found), hosts)


def _begin(team: Team, name: str) -> Deployment:
    model = _model(team, name)
    if model.task != Model.Task.TEXT:
        raise Fault("deployment.writes_no_text", field="model", model=name)
    if not model.has_weights:
        raise Fault("deployment.no_weights", field="model", model=name)
    now = clock.now()
    fresh = Deployment(
        team=team,
        name=name,
        source=_stored(model),
        model=model.ref().model_dump(mode="json"),
        changed_at=now,
        asked_at=now,
    )
    try:
        with transaction.atomic():
            fresh.save(force_insert=True)
    except IntegrityError:  # two asked at once
        return owned(Deployment, team).get(name=name)
    return fresh


def _model(team: Team, name: str) -> Model:
    if (named := find_named(team, name)) is not None:
        if named[1].is_adapter and named[1].model is None:
            raise Fault("deployment.is_adapter", field="model", model=name)
        return model_of(*named)
    model = owned(Model, team).filter(name=name).first()
    if model is None:
        raise Fault("deployment.model_missing", field="model", model=name)
    if model.is_adapter:
        raise Fault("model.is_adapter", field="model", model=name)
    return model


def _stored(model: Model) -> Model | None:
    return model if model.pk else None


@transaction.atomic
def _start_again(found: Deployment) -> None:
    """The model may have been made anew under its name meanwhile, or be gone."""
    model = _model(found.team, found.name)
    row = Deployment.objects.select_for_update().get(id=found.id)
    row.is_wanted, row.asked_at = True, clock.now()
    if row.is_held:  # its host has not let it go yet
        row.save(update_fields=["is_wanted", "asked_at"])
    else:
        row.source, row.model = _stored(model), model.ref().model_dump(mode="json")
        row.become(Status.QUEUED)
    found.status, found.host = row.status, row.host


def _hosts(deployment: Deployment) -> tuple[str, ...]:
    """Names of the hosts that may load it. Raises Fault deployment.no_engine or .no_room."""
    alive = list(Host.objects.filter(seen_at__gt=clock.now() - SILENT_AFTER, is_leaving=False))
    if not alive:
        raise Fault("deployment.no_engine", model=deployment.name)
    needed = {host.name: needed_gb(deployment.ref, host.specs) for host in alive}
    fit = tuple(host.name for host in alive if needed[host.name] <= (host.free_memory_gb or 0.0))
    if not fit and not deployment.is_held:
        raise Fault("deployment.no_room", model=deployment.name, needed=min(needed.values()))
    return fit
