"""Conversations with models: kept for the team, changed by whoever has read them last."""

from typing import Annotated

from django.http import HttpRequest
from ninja import Query, Router, Schema, Status
from pydantic import ConfigDict, Field
from typing_extensions import TypedDict  # Pydantic reads no other before Python 3.12

from whetstone.accounts.scope import owned
from whetstone.api.answers import described
from whetstone.api.caller import caller
from whetstone.api.native.naming import Line
from whetstone.conversations.keep import begin, change, find_conversation
from whetstone.conversations.models import Conversation
from whetstone.conversations.thread import Thread

router = Router(tags=["conversations"])
LARGEST = 2**31 - 1


class NewConversation(Schema):
    model_config = ConfigDict(extra="forbid")

    thread: Thread
    title: Line | None = None
    """Without, it is called by how it begins."""


class ConversationChange(Schema):
    model_config = ConfigDict(extra="forbid")

    thread: Thread | None = None
    title: Line | None = None
    revision: int | None = Field(None, ge=1, le=LARGEST)
    """The one that the thread was made from: refused with 409 when it is not the newest by now. Without, whatever
    stood there is replaced."""


@described
class ConversationLineJson(TypedDict):
    id: str
    title: str
    """Empty while nothing was said."""
    models: list[str]
    turns: int
    revision: int
    """Counts the changes of the thread."""
    author: str
    """Who began it. Everybody of the team may read it and go on with it."""
    created_at: int
    changed_at: int


class ConversationJson(ConversationLineJson):
    thread: Thread


class ConversationsJson(TypedDict):
    data: list[ConversationLineJson]
    total: int


@router.get("")
def list_conversations(
    request: HttpRequest,
    q: Annotated[str, Query(max_length=200)] = "",
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    offset: Annotated[int, Query(ge=0, le=LARGEST)] = 0,
) -> ConversationsJson:
    """Those that were changed last come first. `q` is a part of the title."""
    rows = owned(Conversation, caller(request).team).select_related("created_by").filter(title__icontains=q)
    return {"data": [_line(one) for one in rows[offset : offset + limit]], "total": rows.count()}


@router.post("")
def begin_conversation(request: HttpRequest, body: NewConversation) -> ConversationJson:
    who = caller(request)
    return _whole(begin(who.user, who.team, body.thread, body.title or ""))


@router.get("/{conversation}")
def read_conversation(request: HttpRequest, conversation: str) -> ConversationJson:
    return _whole(find_conversation(caller(request).team, conversation))


@router.patch("/{conversation}")
def change_conversation(request: HttpRequest, conversation: str, body: ConversationChange) -> ConversationLineJson:
    """Another title, a thread that went on, or both."""
    team = caller(request).team
    return _line(change(team, conversation, thread=body.thread, title=body.title, revision=body.revision))


@router.delete("/{conversation}", response={204: None})
def delete_conversation(request: HttpRequest, conversation: str) -> Status[None]:
    """What was labelled in it stays."""
    find_conversation(caller(request).team, conversation).delete()
    return Status(204, None)


def _line(one: Conversation) -> ConversationLineJson:
    return {
        "id": one.id,
        "title": one.title,
        "models": one.document["models"],
        "turns": len(one.document["turns"]),
        "revision": one.revision,
        "author": one.created_by.get_username(),
        "created_at": int(one.created_at.timestamp()),
        "changed_at": int(one.changed_at.timestamp()),
    }


def _whole(one: Conversation) -> ConversationJson:
    return {**_line(one), "thread": one.thread}
