"""Conversations are kept for the team, and nobody overwrites what he has not read."""

from typing import Any

import pytest

from tests.whetstone.factories import make_user
from tests.whetstone.pages import browser
from whetstone.conversations.models import Conversation

MARKUP = "<img src=x onerror=alert(1)> \u202e\x07"


def a_thread(*messages: str, **more: Any) -> dict[str, Any]:
    answer = {"model": "tiny", "text": "4", "finish": "stop"}
    return {"models": ["tiny"], "turns": [{"message": one, "answers": [answer]} for one in messages]} | more


def said(client: Any, method: str, path: str, body: Any = None) -> Any:
    answer = getattr(client, method)(f"/api/v1/conversations{path}", body, content_type="application/json")
    return answer.status_code, answer.json() if answer.content else None


def begun(client: Any, *messages: str) -> dict[str, Any]:
    status, made = said(client, "post", "", {"thread": a_thread(*messages)})
    assert status == 200, made
    return dict(made)


def test_a_conversation_is_kept_listed_renamed_and_deleted() -> None:
    ada = browser()
    made = begun(ada, f"What is {MARKUP}\n2+2?")
    assert made["title"] == "What is <img src=x onerror=alert(1)> 2+2?", "on one line, without what cannot be seen"
    assert made["thread"]["turns"][0]["message"] == f"What is {MARKUP}\n2+2?", "and the text as it was"
    where = f"/{made['id']}"
    status, found = said(ada, "patch", where, {"thread": a_thread("2+2?", "And 3+3?"), "revision": 1})
    assert (status, found["turns"], found["revision"]) == (200, 2, 2)
    assert said(ada, "patch", where, {"title": "Sums"})[1]["title"] == "Sums"
    newer = begun(ada, "Hello")
    listed = ada.get("/api/v1/conversations").json()
    assert [one["title"] for one in listed["data"]] == ["Hello", "Sums"]
    assert listed["total"] == 2
    assert [one["id"] for one in ada.get("/api/v1/conversations?q=hel").json()["data"]] == [newer["id"]]
    assert said(ada, "delete", where)[0] == 204
    assert said(ada, "get", where)[0] == 404


def test_who_has_not_read_the_newest_overwrites_nothing() -> None:
    ada = browser()
    where = f"/{begun(ada, 'One')['id']}"
    assert said(ada, "patch", where, {"thread": a_thread("Two"), "revision": 1})[0] == 200
    status, error = said(ada, "patch", where, {"thread": a_thread("Three"), "revision": 1})
    assert (status, error["error"]["code"]) == (409, "conversation.changed_meanwhile")
    assert Conversation.objects.get().thread.turns[0].message == "Two"


def test_another_teams_conversation_is_not_there() -> None:
    where = f"/{begun(browser(), 'Secret')['id']}"
    eve = browser(make_user("eve"))
    for method, body in (("get", None), ("patch", {"title": "Mine"}), ("delete", None)):
        assert said(eve, method, where, body)[0] == 404
    assert eve.get("/api/v1/conversations").json() == {"data": [], "total": 0}
    assert Conversation.objects.get().title == "Secret"


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"thread": a_thread("x" * 1_000_000)}, 400, "string_too_long"),
        ({"thread": a_thread(*["x" * 300_000] * 4)}, 413, "conversation.too_large"),
        ({"thread": a_thread("a\0b")}, 400, "request.invalid"),
        ({"thread": a_thread(), "title": "two\nlines"}, 400, "value_error"),
        ({"thread": a_thread(), "title": "\x1b[31m"}, 400, "value_error"),
        ({"thread": a_thread(models=[])}, 400, "too_short"),
        ({"thread": a_thread(models=["a", "b", "c"])}, 400, "too_long"),
        ({"thread": a_thread(manner={"temperature": 3})}, 400, "less_than_equal"),
        ({"thread": a_thread() | {"turns": [{"message": "", "answers": [], "goes_on": 1}]}}, 400, "value_error"),
        ({"thread": a_thread(colour="red")}, 400, "extra_forbidden"),
    ],
)
def test_what_is_no_conversation_is_refused(body: Any, status: int, code: str) -> None:
    found, error = said(browser(), "post", "", body)
    assert (found, error["error"]["code"]) == (status, code)
    assert not Conversation.objects.exists()
