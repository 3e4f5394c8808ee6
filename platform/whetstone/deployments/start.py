"""A model is asked by name: find its deployment, or begin one."""

from dataclasses import dataclass
from datetime import timedelta

from django.db import IntegrityError, connection, transaction

from contracts.fault import Fault
from contracts.method import Task
from whetstone import clock
from whetstone.accounts.models import Team
from whetstone.accounts.scope import owned
from whetstone.deployments.attend import AGAIN_AFTER
from whetstone.deployments.models import SILENT_AFTER, Deployment, Host, detail_of
from whetstone.deployments.room import held_by, needed_gb
from whetstone.deployments.serves import find_served, lay_out, require_task
from whetstone.deployments.standing import Standing, standing_of
from whetstone.deployments.states import move
from whetstone.jobs.permissions import owner_of

TOUCH_AFTER = timedelta(seconds=15)
Status, Reason = Deployment.Status, Deployment.Reason


@dataclass(frozen=True)
class Called:
    """A deployment as it was found."""

    id: str
    name: str
    standing: Standing
    hosts: tuple[str, ...]
    """Who could load it, while it is not ready."""


def call(team: Team, name: str, task: Task = "text") -> Called:
    """Find the deployment that is asked by this name, to write or to score. It is started when it does not run.

    Raises:
        Fault: deployment.off, .no_engine, .no_room, .failed, and whatever `find_served`, `require_task` and `lay_out`
            raise.
    """
    found = _find(team, name) or _begin(owner_of(team, name) or team, name, task)
    require_task(name, found.ref.task, task)
    if found.is_off:
        raise Fault("deployment.off", field="model", model=name, deployment=found.id)
    now = clock.now()
    hosts = () if found.status == Status.READY else hosts_for(found)
    if found.status == Status.FAILED and now - found.changed_at < AGAIN_AFTER:
        raise Fault("deployment.failed", model=name, detail=detail_of(found.fault_report))
    if found.status in (Status.STOPPED, Status.FAILED) or not found.is_wanted:
        found = start_again(found, Reason.ASKED)
    elif now - found.asked_at > TOUCH_AFTER:
        Deployment.objects.filter(id=found.id).update(asked_at=now)
    return Called(found.id, name, standing_of(found), hosts)


def _find(team: Team, name: str) -> Deployment | None:
    """The team's own, or that of a team that has permitted this one to use its model."""
    for whose in filter(None, (team, owner_of(team, name))):
        if found := owned(Deployment, whose).select_related("host", "team").filter(name=name).first():
            return found
    return None


def call_and_let_go(team: Team, name: str, task: Task = "text") -> Called:
    """The same. Waiting for an engine holds no connection to the database."""
    try:
        return call(team, name, task)
    finally:
        if not connection.in_atomic_block:
            connection.close()


def _begin(team: Team, name: str, task: Task) -> Deployment:
    now = clock.now()
    model = find_served(team, name)
    require_task(name, model.task, task)
    fresh = Deployment(team=team, name=name, serves=name, changed_at=now, asked_at=now)
    lay_out(fresh, model)
    try:
        with transaction.atomic():
            fresh.save(force_insert=True)
    except IntegrityError:  # two asked at once
        return owned(Deployment, team).select_related("host", "team").get(name=name)
    return fresh


def start_again(found: Deployment, reason: str) -> Deployment:
    """The model may have been made anew under its name meanwhile, or be gone. Raises what `call` raises."""
    lay_out(found, find_served(found.team, found.serves))
    with transaction.atomic():
        rows = Deployment.objects.select_for_update(of=("self",)).select_related("host", "team")
        row = rows.get(id=found.id)
        row.is_wanted, row.is_off, row.asked_at = True, False, clock.now()
        if row.is_held or row.status == Status.QUEUED:  # its host has not let it go yet
            row.save(update_fields=["is_wanted", "is_off", "asked_at"])
        else:
            row.source, row.model, row.adapter = found.source, found.model, found.adapter
            move(row, Status.QUEUED, reason)
    return row


def hosts_for(deployment: Deployment) -> tuple[str, ...]:
    """Names of the hosts that may load it. Raises Fault deployment.no_engine or .no_room."""
    alive = Host.objects.filter(seen_at__gt=clock.now() - SILENT_AFTER, is_leaving=False)
    hosts = list((alive.filter(pool=deployment.pool) if deployment.pool else alive).prefetch_related("deployments"))
    if not hosts:
        raise Fault("deployment.no_engine", model=deployment.name)
    needed = {host: needed_gb(deployment, host.specs, held_by(host)) for host in hosts}
    fit = tuple(host.name for host in hosts if needed[host] <= (host.free_memory_gb or 0.0) or host == deployment.host)
    if not fit and not deployment.is_held:
        raise Fault("deployment.no_room", model=deployment.name, needed=min(needed.values()))
    return fit
