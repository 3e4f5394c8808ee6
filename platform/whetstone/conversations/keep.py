"""Conversations are begun, changed by whoever has read them last, found and deleted."""

from typing import Any

import orjson
from django.db import transaction

from contracts.fault import Fault
from whetstone.accounts.models import Team, User
from whetstone.accounts.scope import owned
from whetstone.conversations.models import Conversation
from whetstone.conversations.thread import Thread

MOST_BYTES = 1_000_000
LONGEST_TITLE = 80


def begin(user: User, team: Team, thread: Thread, title: str = "") -> Conversation:
    """Without a title it is called by how it begins. Raises Fault conversation.too_large."""
    document = _document(thread)
    return Conversation.objects.create(team=team, created_by=user, title=title or title_of(thread), document=document)


@transaction.atomic
def change(
    team: Team,
    conversation: str,
    *,
    thread: Thread | None = None,
    title: str | None = None,
    revision: int | None = None,
) -> Conversation:
    """`revision`: what the thread was made from. A title alone is changed whatever it says.

    Raises:
        Fault: conversation.not_found, .changed_meanwhile, .too_large.
    """
    found = find_conversation(team, conversation, is_locked=True)
    if title is not None:
        found.title = title
    if thread is not None:
        if revision is not None and revision != found.revision:
            raise Fault("conversation.changed_meanwhile", field="revision")
        found.document = _document(thread)
        found.revision += 1
    found.save(update_fields=["title", "document", "revision", "changed_at"])
    return found


def find_conversation(team: Team, conversation: str, *, is_locked: bool = False) -> Conversation:
    """Raises Fault conversation.not_found."""
    rows = owned(Conversation, team).select_related("created_by")
    rows = rows.select_for_update(of=("self",)) if is_locked else rows
    found = rows.filter(id=conversation).first()
    if found is None:
        raise Fault("conversation.not_found", field="conversation", conversation=conversation)
    return found


def title_of(thread: Thread) -> str:
    """The beginning of the first message, on one line and without what cannot be seen."""
    first = next((turn.message for turn in thread.turns if turn.message.strip()), "")
    line = "".join(letter if letter.isprintable() else " " for letter in first[: 4 * LONGEST_TITLE])
    words = " ".join(line.split())
    return words if len(words) <= LONGEST_TITLE else f"{words[: LONGEST_TITLE - 1].rstrip()}…"


def _document(thread: Thread) -> dict[str, Any]:  # Any: JSON
    document = thread.model_dump(mode="json")
    size = len(orjson.dumps(document))
    if size > MOST_BYTES:
        kb = -(-size // 1000)
        raise Fault("conversation.too_large", field="thread", size_kb=kb, most_kb=MOST_BYTES // 1000)
    return document
