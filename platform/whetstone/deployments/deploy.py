"""A deployment is made, started, changed, stopped and deleted by a person or a script."""

import re
from typing import Annotated

from django.db import IntegrityError, transaction
from pydantic import Field

from contracts import Contract
from contracts.fault import Fault
from whetstone import clock
from whetstone.accounts.models import Team, User
from whetstone.accounts.scope import owned
from whetstone.deployments.models import Deployment, Host
from whetstone.deployments.serves import can_share, find_served, lay_out
from whetstone.deployments.start import start_again
from whetstone.deployments.states import move
from whetstone.modelhub.models import Model

NAME = re.compile(r"[A-Za-z0-9][\w.:/-]{0,255}", re.ASCII)
AUTO = "auto"
LONGEST_IDLE_MINUTES = 60 * 24 * 30
Minutes = Annotated[int, Field(ge=1, le=LONGEST_IDLE_MINUTES)]
Status, Reason = Deployment.Status, Deployment.Reason


class NewDeployment(Contract):
    """What is asked for: the body of `POST /api/v1/deployments`, and the form of the page."""

    model: str = Field(min_length=1, max_length=256)
    """A model of the hub, or a checkpoint by its name."""
    name: str | None = Field(None, max_length=256)
    """By which it is asked. Left out: the model's own name."""
    pool: str = Field(AUTO, min_length=1, max_length=64)
    """Where its engine runs. “auto”: wherever there is room."""
    idle_minutes: Minutes | None = 10
    """Minutes without a request after which it is let go, until it is asked again. null: it stays loaded, always."""
    shares_base: bool | None = None
    """Load the adapter alone, over a base that others use too. Left out: where the model has one that can."""


class DeploymentChange(Contract):
    """What may be changed later. Where it runs counts from the next time it is loaded."""

    pool: str | None = Field(None, min_length=1, max_length=64)
    idle_minutes: Minutes | None = None


def deploy(user: User, team: Team, wanted: NewDeployment) -> Deployment:
    """It is loaded as soon as a host has room. One that came by itself, by being asked, is taken over.

    Raises:
        Fault: deployment.bad_name, .name_taken, .name_of_a_model, .no_pool, and what `find_served` and `lay_out` raise.
    """
    name = wanted.model if wanted.name is None else wanted.name
    model = find_served(team, wanted.model)
    _require_name(team, name, model)
    now = clock.now()
    shares = can_share(model) if wanted.shares_base is None else wanted.shares_base
    about = {
        "serves": wanted.model,
        "created_by": user,
        "pool": _pool(wanted.pool),
        "idle_s": None if wanted.idle_minutes is None else 60 * wanted.idle_minutes,
    }
    fresh = Deployment(team=team, name=name, shares_base=shares, changed_at=now, asked_at=now, **about)
    fresh.reason = Reason.STARTED
    lay_out(fresh, model)
    try:
        with transaction.atomic():
            fresh.save(force_insert=True)
    except IntegrityError:
        return _take_over(team, name, about)
    return fresh


def _take_over(team: Team, name: str, about: dict[str, object]) -> Deployment:
    """It goes on as it was loaded."""
    mine = owned(Deployment, team).filter(name=name)
    if not mine.filter(serves=about["serves"], created_by=None).update(**about):
        raise Fault("deployment.name_taken", field="name", name=name)
    return start(mine.select_related("host", "team").get())


def start(deployment: Deployment) -> Deployment:
    """Raises what `find_served` and `lay_out` raise: its model may be gone."""
    return start_again(deployment, Reason.STARTED)


@transaction.atomic
def stop(deployment: Deployment) -> Deployment:
    """What it writes is written to the end. One that came on demand comes again when it is asked."""
    row = Deployment.objects.select_for_update(of=("self",)).select_related("host", "team").get(id=deployment.id)
    row.is_wanted, row.is_off = False, not row.is_on_demand
    if row.status in (Status.LOADING, Status.READY):
        move(row, Status.STOPPING, Reason.STOPPED)
    elif row.status in (Status.QUEUED, Status.FAILED):
        move(row, Status.STOPPED, Reason.STOPPED)
    else:
        row.reason = Reason.STOPPED
        row.save(update_fields=["is_wanted", "is_off", "reason"])
    return row


def change(deployment: Deployment, wanted: DeploymentChange) -> Deployment:
    """Raises Fault deployment.no_pool."""
    if wanted.pool is not None:
        deployment.pool = _pool(wanted.pool)
    if "idle_minutes" in wanted.model_fields_set:
        deployment.idle_s = None if wanted.idle_minutes is None else 60 * wanted.idle_minutes
    deployment.save(update_fields=["pool", "idle_s"])
    return deployment


def pools_of_engines() -> list[str]:
    """Names of all pools that a host of engines ever joined."""
    return sorted(set(Host.objects.values_list("pool", flat=True)))


def find_deployment(team: Team, deployment_id: str) -> Deployment:
    """Raises Fault deployment.not_found."""
    rows = owned(Deployment, team).select_related("host", "team", "source", "created_by")
    found = rows.filter(id=deployment_id).first()
    if found is None:
        raise Fault("deployment.not_found", field="deployment_id", deployment=deployment_id[:100])
    return found


def _require_name(team: Team, name: str, model: Model) -> None:
    if not NAME.fullmatch(name):
        shown = "".join(letter if letter.isprintable() else "?" for letter in name[:100])
        raise Fault("deployment.bad_name", field="name", name=shown)
    if name != model.name and owned(Model, team).filter(name=name).exists():
        raise Fault("deployment.name_of_a_model", field="name", name=name)


def _pool(name: str) -> str:
    if name == AUTO:
        return ""
    if name not in pools_of_engines():
        raise Fault("deployment.no_pool", field="pool", pool=name)
    return name
