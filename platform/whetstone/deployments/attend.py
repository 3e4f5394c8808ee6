"""A host says what it holds, and hears what it shall hold."""

import secrets
from collections.abc import Iterable
from datetime import timedelta

from django.db import transaction
from django.db.models import Q, QuerySet

from contracts.serving import Attendance, Duties, Held, Load
from whetstone import clock
from whetstone.accounts.models import hash_of
from whetstone.deployments.models import SILENT_AFTER, Deployment, Host
from whetstone.deployments.room import held_by, needed_gb
from whetstone.deployments.states import move

Status, Reason = Deployment.Status, Deployment.Reason
AGAIN_AFTER = timedelta(seconds=60)
"""How long a model that could not be loaded is not tried again."""
ENDED = ("failed", "gone")
"""States in which a host has let a deployment go by itself."""
LOG_KEPT = 16_000
"""Characters."""


@transaction.atomic
def attend(said: Attendance) -> Duties:
    """Takes in what a host says and decides what it shall do. What the host was told and lost, it is told again."""
    host = _welcome(said)
    _take_from_the_silent()
    holds = {held.deployment: held for held in said.holds}
    given = {one.id: one for one in _locked().filter(host=host).order_by("id")}
    for deployment in given.values():
        _hear(deployment, holds.get(deployment.id), said)
    if said.is_leaving:  # it lets go of everything by itself
        return Duties()
    drop = [held.deployment for held in said.holds if _is_too_much(held, given.get(held.deployment))]
    return Duties(load=tuple(_give(host, said)), drop=tuple(drop))


def _welcome(said: Attendance) -> Host:
    about = {
        "pool": said.pool,
        "machine": said.machine.model_dump(mode="json"),
        "free_memory_gb": said.free_memory_gb,
        "is_leaving": said.is_leaving,
        "seen_at": clock.now(),
    }
    return Host.objects.update_or_create(name=said.host, defaults=about)[0]


def _is_too_much(held: Held, given: Deployment | None) -> bool:
    if held.state in ENDED:
        return False
    return given is None or not given.is_held or given.status == Status.STOPPING


def _hear(deployment: Deployment, held: Held | None, said: Attendance) -> None:
    """What has become of a deployment that this host was given."""
    if held is None:
        return _give_up(deployment, Reason.HOST_LEAVING if said.is_leaving else Reason.HOST_FORGOT)
    _take_down(deployment, held)
    if held.state == "gone":
        _give_up(deployment, Reason.HOST_LEAVING if said.is_leaving else Reason.LET_GO)
    elif held.state == "failed":
        move(deployment, Status.FAILED, Reason.FAILED, held.fault)
    elif said.is_leaving or held.state == "stopping":
        if deployment.status != Status.STOPPING:
            move(deployment, Status.STOPPING, Reason.HOST_LEAVING if said.is_leaving else Reason.LET_GO)
    elif deployment.is_wanted and held.state != deployment.status:
        move(deployment, held.state, Reason.LOADED if held.state == "ready" else Reason.GIVEN)
    elif _idles(deployment, held):
        deployment.is_wanted = False
        move(deployment, Status.STOPPING, Reason.IDLE)


def _give_up(deployment: Deployment, reason: str) -> None:
    """Its host has it no more."""
    if deployment.is_wanted:
        move(deployment, Status.QUEUED, reason)
    else:  # why it was let go was said when that began
        move(deployment, Status.STOPPED, deployment.reason if deployment.status == Status.STOPPING else reason)


def _take_down(deployment: Deployment, held: Held) -> None:
    """What it counted and logged. Most of the time nothing has changed, and nothing is written."""
    told = {"running": held.running, "waiting": held.waiting, "counted": held.counts.model_dump(mode="json")}
    if held.log:
        told["log"] = (deployment.log + "".join(f"{line}\n" for line in held.log))[-LOG_KEPT:]
    changed = [name for name, value in told.items() if getattr(deployment, name) != value]
    for name in changed:
        setattr(deployment, name, told[name])
    if changed:
        deployment.save(update_fields=changed)


def _idles(deployment: Deployment, held: Held) -> bool:
    """Whether it is held for nobody."""
    if deployment.idle_s is None or deployment.status != Status.READY or held.running + held.waiting:
        return False
    return clock.now() - max(deployment.asked_at, deployment.changed_at) > timedelta(seconds=deployment.idle_s)


def _take_from_the_silent() -> None:
    for deployment in _locked(skips=True).filter(host__seen_at__lt=clock.now() - SILENT_AFTER):
        _give_up(deployment, Reason.HOST_SILENT)


def _give(host: Host, said: Attendance) -> Iterable[Load]:
    """The deployment that waits longest and has room here: one at a time, as its loading changes what is free."""
    _try_again()
    held = held_by(host)
    waiting = _locked(skips=True).filter(status=Status.QUEUED, is_wanted=True, pool__in=("", host.pool))
    still_there = [one.deployment for one in said.holds if one.state not in ENDED]  # from an earlier time
    for deployment in waiting.exclude(id__in=still_there).order_by("changed_at"):
        if needed_gb(deployment, host.specs, held) > (host.free_memory_gb or 0.0):
            continue
        token = secrets.token_urlsafe(32)
        deployment.host, deployment.token_hash = host, hash_of(token)
        deployment.loads += 1
        move(deployment, Status.LOADING, Reason.GIVEN)
        yield Load(
            deployment=deployment.id,
            name=deployment.name,
            token=token,
            model=deployment.ref,
            adapter=deployment.adapter_files,
        )
        return


def _try_again() -> None:
    """What shall always be there is loaded again by itself when it failed."""
    old = Q(status=Status.FAILED, idle_s=None, is_wanted=True, changed_at__lt=clock.now() - AGAIN_AFTER)
    for deployment in _locked(skips=True).filter(old):
        move(deployment, Status.QUEUED, Reason.RETRIED)


def _locked(*, skips: bool = False) -> "QuerySet[Deployment]":
    rows = Deployment.objects.select_for_update(skip_locked=skips, of=("self",))
    return rows.select_related("host", "team")
