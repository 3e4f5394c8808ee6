"""A host says what it holds, and hears what it shall hold."""

import secrets
from collections.abc import Iterable
from datetime import timedelta

from django.db import transaction
from django.db.models import QuerySet

from contracts.serving import Attendance, Duties, Held, Load
from whetstone import clock
from whetstone.accounts.models import hash_of
from whetstone.deployments.models import SILENT_AFTER, Deployment, Host
from whetstone.deployments.room import needed_gb

Status = Deployment.Status


@transaction.atomic
def attend(said: Attendance) -> Duties:
    """Takes in what a host says and decides what it shall do. What the host was told and lost, it is told again."""
    host = _welcome(said)
    _take_from_the_silent()
    holds = {held.deployment: held for held in said.holds}
    given = {one.id: one for one in _locked().filter(host=host)}
    for deployment in given.values():
        _hear(deployment, holds.get(deployment.id))
    drop = [name for name in holds if name not in given or not given[name].is_held or not given[name].is_wanted]
    load = [] if said.is_leaving else list(_give(host))
    return Duties(load=tuple(load), drop=tuple(drop))


def _welcome(said: Attendance) -> Host:
    about = {
        "pool": said.pool,
        "machine": said.machine.model_dump(mode="json"),
        "free_memory_gb": said.free_memory_gb,
        "is_leaving": said.is_leaving,
        "seen_at": clock.now(),
    }
    return Host.objects.update_or_create(name=said.host, defaults=about)[0]


def _hear(deployment: Deployment, held: Held | None) -> None:
    """What has become of a deployment that this host was given."""
    if held is None:
        deployment.become(Status.QUEUED if deployment.is_wanted else Status.STOPPED)
    elif held.state == "failed":
        deployment.become(Status.FAILED, held.fault)
    elif held.state != deployment.status:
        deployment.become(held.state)
    if deployment.is_held and deployment.is_wanted and held is not None and not held.running + held.waiting:
        _let_go_when_idle(deployment)


def _let_go_when_idle(deployment: Deployment) -> None:
    if clock.now() - max(deployment.asked_at, deployment.changed_at) > timedelta(seconds=deployment.idle_s):
        deployment.is_wanted = False
        deployment.save(update_fields=["is_wanted"])


def _take_from_the_silent() -> None:
    for deployment in _locked().filter(host__seen_at__lt=clock.now() - SILENT_AFTER):
        deployment.become(Status.QUEUED if deployment.is_wanted else Status.STOPPED)


def _give(host: Host) -> Iterable[Load]:
    """The deployment that waits longest and has room here: one at a time, as its loading changes what is free."""
    for deployment in _locked().filter(status=Status.QUEUED, is_wanted=True).order_by("changed_at"):
        if needed_gb(deployment.ref, host.specs) > (host.free_memory_gb or 0.0):
            continue
        token = secrets.token_urlsafe(32)
        deployment.become(Status.LOADING)
        deployment.host, deployment.token_hash = host, hash_of(token)
        deployment.loads += 1
        deployment.save()
        yield Load(deployment=deployment.id, token=token, model=deployment.ref)
        return


def _locked() -> "QuerySet[Deployment]":
    return Deployment.objects.select_for_update(skip_locked=True, of=("self",)).select_related("host", "team")
