"""A request that is sent twice under the same key is carried out once."""

from datetime import timedelta

from django.utils import timezone

from contracts.fault import Fault
from whetstone.accounts.models import Replay, Team
from whetstone.accounts.scope import owned

KEPT_FOR = timedelta(hours=24)
GIVEN_UP_AFTER = timedelta(minutes=15)
"""No request takes that long: the process that was answering it died."""


def begin(team: Team, who: str, key: str, fingerprint: str) -> Replay:
    """The request's row: new, or with the answer that it got before. Of several at once, one makes it.

    Raises:
        Fault: replay.other_request, replay.in_progress.
    """
    now = timezone.now()
    same = owned(Replay, team).filter(who=who, key=key)
    same.filter(created_at__lt=now - KEPT_FOR).delete()
    same.filter(created_at__lt=now - GIVEN_UP_AFTER, status=None).delete()
    row, is_new = same.get_or_create(
        team=team, who=who, key=key, defaults={"fingerprint": fingerprint, "created_at": now}
    )
    if row.fingerprint != fingerprint:
        raise Fault("replay.other_request", field="Idempotency-Key", key=key)
    if row.status is None and not is_new:
        raise Fault("replay.in_progress", field="Idempotency-Key", key=key)
    return row


def finish(row: Replay, status: int, answer: str) -> None:
    owned(Replay, row.team).filter(id=row.id).update(status=status, answer=answer)


def give_up(row: Replay) -> None:
    """Nothing was made: it may be sent again."""
    row.delete()


def forget_replays() -> None:
    old = Replay.objects.filter(created_at__lt=timezone.now() - KEPT_FOR)
    if old.exists():  # looked at first: a delete takes SQLite's one lock
        old.delete()
