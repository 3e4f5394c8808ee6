"""Serving tests: begun by a person or a script, carried out by a supervisor, which asks over `/v1` like any client."""

import asyncio
import logging
import time
from collections.abc import Coroutine
from datetime import timedelta
from threading import Event

from asgiref.sync import sync_to_async
from django.conf import settings
from django.db import close_old_connections, connection
from django.db.models import F, Q

from contracts.fault import Fault, FaultReport
from whetstone import clock
from whetstone.accounts.models import ApiKey, Scope, Team, User
from whetstone.accounts.scope import owned
from whetstone.deployments.measure import Client, ServingLevel, ServingPlan
from whetstone.deployments.models import Deployment, ServingTest

log = logging.getLogger(__name__)
LEASE = timedelta(seconds=30)
EVERY_S = 2.0
"""How often a supervisor says that it still measures, and looks whether it shall."""
LOADING_S = 300.0
KEY_LIVES = timedelta(hours=2)
MOST_ATTEMPTS = 3
State = ServingTest.State


class Lost(Exception):
    """Somebody called the test off, or another supervisor has it."""


def begin_test(user: User, deployment: Deployment, plan: ServingPlan) -> ServingTest:
    """Raises Fault serving_test.running: two at once would measure each other; or serving_test.of_a_scorer."""
    if deployment.scores:
        raise Fault("serving_test.of_a_scorer", field="deployment_id", model=deployment.name)
    if deployment.serving_tests.filter(state__in=(State.QUEUED, State.RUNNING)).exists():
        raise Fault("serving_test.running", field="deployment_id", model=deployment.name)
    about = {"created_by": user, "model": deployment.serves, "plan": plan.model_dump(mode="json")}
    return ServingTest.objects.create(team=deployment.team, deployment=deployment, **about)


def cancel_test(one: ServingTest) -> None:
    """What was measured stays. Raises Fault serving_test.has_ended."""
    going = owned(ServingTest, one.team).filter(id=one.id, state__in=(State.QUEUED, State.RUNNING))
    if not going.update(state=State.CANCELLED, finished_at=clock.now(), lease_until=None):
        raise Fault("serving_test.has_ended", field="test_id", test=one.id)


def find_test(team: Team, test_id: str) -> ServingTest:
    """Raises Fault serving_test.not_found."""
    found = owned(ServingTest, team).select_related("deployment", "team").filter(id=test_id).first()
    if found is None:
        raise Fault("serving_test.not_found", field="test_id", test=test_id[:100])
    return found


def run(stopping: Event, pause_s: float = 1.0) -> None:
    """The supervisor's thread: one test at a time, so that no two measure each other."""
    while not stopping.is_set():
        try:
            close_old_connections()
            while (one := claim()) is not None:
                carry_out(one)
        except Exception:  # it outlives a database that is away for a while
            log.exception("a serving test could not be carried out")
        stopping.wait(pause_s)


def claim() -> ServingTest | None:
    """One that waits, or whose holder fell silent: of several supervisors one gets it."""
    now = clock.now()
    due = Q(state=State.QUEUED) | Q(state=State.RUNNING, lease_until__lt=now)
    found = ServingTest.objects.filter(due).order_by("created_at").first()
    if found is None:
        return None
    mine = ServingTest.objects.filter(id=found.id, attempt=found.attempt, state=found.state)
    if not mine.update(state=State.RUNNING, attempt=F("attempt") + 1, lease_until=now + LEASE):
        return None
    return ServingTest.objects.select_related("team", "created_by", "deployment__host").get(id=found.id)


def carry_out(one: ServingTest) -> None:
    """Asks with a key that is good for this alone. Levels that were measured before are not measured again."""
    expires = clock.now() + KEY_LIVES
    key, text = ApiKey.make(one.created_by, one.team, f"Serving test {one.id}", scopes=[Scope.JOBS], expires_at=expires)
    plan = ServingPlan.model_validate(one.plan)
    client = Client(settings.ENVIRONMENT.own_url, text, one.deployment.name, plan)
    try:
        if one.attempt > MOST_ATTEMPTS:
            raise Fault("serving_test.gave_up", attempts=MOST_ATTEMPTS)
        asyncio.run(_measure(one, client))
        _tell(one, state=State.SUCCEEDED, finished_at=clock.now(), lease_until=None)
    except Lost:
        log.info("serving test %s was called off", one.id)
    except Fault as fault:
        _fail(one, fault.report)
    except Exception as error:
        log.exception("serving test %s failed", one.id)
        detail = (str(error) or type(error).__name__)[:300]
        _fail(one, FaultReport(code="serving_test.failed", params={"detail": detail}))
    finally:
        key.delete()


async def _measure(one: ServingTest, client: Client) -> None:
    await _watched(one, _loaded(client))
    await sync_to_async(_tell, thread_sensitive=False)(
        one, host=await sync_to_async(_host, thread_sensitive=False)(one)
    )
    for at_once in client.plan.levels[len(one.results) :]:
        level = await _watched(one, client.level(at_once))
        one.results = [*one.results, level.model_dump(mode="json")]
        await sync_to_async(_tell, thread_sensitive=False)(one, results=one.results)


async def _watched(one: ServingTest, work: Coroutine[object, object, ServingLevel]) -> ServingLevel:
    """Raises Lost, also in the midst of a level."""
    task = asyncio.create_task(work)
    try:
        while not task.done():
            await asyncio.wait({task}, timeout=EVERY_S)
            await sync_to_async(_tell, thread_sensitive=False)(one)
        return task.result()
    finally:
        task.cancel()


async def _loaded(client: Client) -> ServingLevel:
    """One request that does not count: the model may have to be loaded. Raises Fault serving_test.no_answer."""
    warm = Client(client.url, client.key, client.model, client.plan.model_copy(update={"requests_each": 1}))
    until = time.monotonic() + LOADING_S
    while True:
        level = await warm.level(1)
        if not level.errors:
            return level
        (code,) = level.faults
        if time.monotonic() > until or not code.startswith(("deployment.", "engine.")) or code in FOR_GOOD:
            raise Fault("serving_test.no_answer", model=client.model, problem=code)
        await asyncio.sleep(EVERY_S)


FOR_GOOD = frozenset({"deployment.off", "deployment.failed", "deployment.model_missing", "deployment.no_room"})


def _host(one: ServingTest) -> str:
    found = Deployment.objects.filter(id=one.deployment_id).values_list("host__name", flat=True).first()
    return found or ""


def _tell(one: ServingTest, **fields: object) -> None:
    """Raises Lost."""
    try:
        mine = ServingTest.objects.filter(id=one.id, attempt=one.attempt, state=State.RUNNING)
        if not mine.update(**({"lease_until": clock.now() + LEASE} | fields)):
            raise Lost
    finally:
        if not connection.in_atomic_block:
            connection.close()


def _fail(one: ServingTest, report: FaultReport) -> None:
    about = {"state": State.FAILED, "fault": report.model_dump(mode="json"), "finished_at": clock.now()}
    ServingTest.objects.filter(id=one.id, attempt=one.attempt, state=State.RUNNING).update(**about, lease_until=None)
