"""Sending what waits. The database is this thread's; the network is the pool's, one request an endpoint at a time."""

import logging
import random
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime, timedelta

from django.conf import settings
from django.db import close_old_connections
from django.db.models import F

from contracts.fault import Fault
from whetstone import clock
from whetstone.webhooks.endpoints import secrets_of
from whetstone.webhooks.models import GIVE_UP_AFTER, Delivery
from whetstone.webhooks.notice import notice
from whetstone.webhooks.send import TIMEOUT_S, Outcome, client, send
from whetstone.webhooks.sign import headers

log = logging.getLogger(__name__)
AT_ONCE = 16
TAKEN_FOR = timedelta(seconds=6 * TIMEOUT_S)
"""Longer than a try takes. A supervisor that dies meanwhile leaves the delivery to the next one."""
FIRST_WAIT, LONGEST_WAIT = timedelta(seconds=5), timedelta(hours=4)
FORGOTTEN_AFTER = timedelta(days=30)


class Deliverer:
    """One a supervisor. Any number may run."""

    def __init__(self, timeout_s: float = TIMEOUT_S) -> None:
        self._timeout_s = timeout_s
        self._pool = ThreadPoolExecutor(AT_ONCE, "webhook")
        self._under_way: dict[Future[Outcome], Delivery] = {}
        self._tidied: datetime | None = None

    def round(self) -> int:
        """Look for news, write down what has come back, and send what is due. How many are under way."""
        notice()
        self._settle()
        self._send_due()
        self._tidy()
        return len(self._under_way)

    def _settle(self) -> None:
        for future in [one for one in self._under_way if one.done()]:
            settle(self._under_way.pop(future), future.result())

    def _send_due(self) -> None:
        """An endpoint that answers slowly holds one place, however much waits for it."""
        busy = {delivery.endpoint_id for delivery in self._under_way.values()}
        due = Delivery.objects.filter(state=Delivery.State.WAITING, next_at__lte=clock.now())
        waiting = due.exclude(endpoint__in=busy).select_related("endpoint").order_by("next_at")
        for delivery in waiting[: 8 * AT_ONCE]:
            if len(self._under_way) >= AT_ONCE:
                return
            if delivery.endpoint_id not in busy and _take(delivery):
                busy.add(delivery.endpoint_id)
                self._under_way[self._try(delivery)] = delivery

    def _try(self, delivery: Delivery) -> Future[Outcome]:
        try:
            signed = signed_headers(delivery)
        except Fault as fault:
            return self._pool.submit(Outcome, None, str(fault)[:300])
        through = client(settings.ENVIRONMENT.private_hosts)
        return self._pool.submit(send, through, delivery.endpoint.url, delivery.body, signed, self._timeout_s)

    def _tidy(self) -> None:
        now = clock.now()
        if self._tidied is None or now - self._tidied > timedelta(hours=1):
            self._tidied = now
            old = Delivery.objects.exclude(state=Delivery.State.WAITING)
            old.filter(created_at__lt=now - FORGOTTEN_AFTER, give_up_at__lt=now).delete()

    def run(self, stop: threading.Event, interval_s: float = 1.0) -> None:
        """Until told to stop."""
        while not stop.wait(interval_s):
            try:
                close_old_connections()
                self.round()
            except Exception:  # deliveries outlive a database that is away for a while
                log.exception("a round of webhook deliveries failed")


def signed_headers(delivery: Delivery) -> dict[str, str]:
    """Raises Fault secret.unreadable."""
    at = int(clock.now().timestamp())
    return headers(delivery.event, delivery.body, at, secrets_of(delivery.endpoint))


def _take(delivery: Delivery) -> bool:
    """Whether it is ours: of several supervisors one moves the time on."""
    mine = Delivery.objects.filter(id=delivery.id, state=Delivery.State.WAITING, next_at=delivery.next_at)
    return mine.update(next_at=clock.now() + TAKEN_FOR) == 1


def settle(delivery: Delivery, outcome: Outcome) -> None:
    """Write down how a try went, and when the next one is."""
    now, attempts = clock.now(), delivery.attempts + 1
    next_at = now + wait_after(attempts)
    state = Delivery.State.WAITING
    if outcome.is_delivered:
        state = Delivery.State.DELIVERED
    elif next_at > delivery.give_up_at:
        state = Delivery.State.FAILED
        log.warning("delivery=%s endpoint=%s was given up", delivery.id, delivery.endpoint_id)
    told = {"last_at": now, "last_status": outcome.status, "last_error": outcome.error[:300]}
    rows = Delivery.objects.filter(id=delivery.id)
    rows.update(state=state, attempts=F("attempts") + 1, next_at=next_at, **told)


def wait_after(attempts: int) -> timedelta:
    """5 s, 15 s, 45 s, … up to 4 hours, and never all at the same moment."""
    wait: timedelta = min(LONGEST_WAIT, FIRST_WAIT * int(3 ** min(attempts - 1, 10)))
    return wait * random.uniform(0.9, 1.1)


def redeliver(delivery: Delivery) -> None:
    """Send it again, with 72 hours before it; the same message, so that a receiver may know it."""
    now = clock.now()
    delivery.state, delivery.attempts = Delivery.State.WAITING, 0
    delivery.next_at, delivery.give_up_at = now, now + GIVE_UP_AFTER
    delivery.save(update_fields=["state", "attempts", "next_at", "give_up_at"])
