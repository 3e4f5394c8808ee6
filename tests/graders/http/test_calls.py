"""One request until it is answered or given up, against real servers on loopback. Nobody waits: sleeping is noted."""

import contextlib
import socket
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from graders.http.calls import GIVE_UP_AFTER, MAX_ANSWER_BYTES, Calls, Failed, Pace
from graders.http.guard import Allowed
from tests.judges import Asked, Said, Server, said, serving


class Clock:
    """Moves when somebody sleeps."""

    def __init__(self) -> None:
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)

    def now(self) -> float:
        return sum(self.slept)


def calls(clock: Clock | None = None) -> Calls:
    clock = clock or Clock()
    return Calls(Allowed.read("127.0.0.1"), sleep=clock.sleep, now=clock.now)


def post(one: Calls, server: Server, timeout_s: float = 20.0, **headers: str) -> object:
    return one.post(server.url, headers, {"a": 1}, timeout_s, one.pace("x", None))


def in_turn(*answers: Said) -> Callable[[Asked], Said]:
    left = iter(answers)
    return lambda _: next(left)


def test_a_server_that_says_when_is_asked_then() -> None:
    clock = Clock()
    with serving(in_turn(said({}, 429, Retry_After="7"), said({"ok": 1}))) as server:
        assert post(calls(clock), server) == {"ok": 1}
    assert clock.slept == [7.0]


def test_it_may_also_say_when_by_the_calendar() -> None:
    clock = Clock()
    at = format_datetime(datetime.now(UTC) + timedelta(seconds=30), usegmt=True)
    with serving(in_turn(said({}, 503, Retry_After=at), said({"ok": 1}))) as server:
        post(calls(clock), server)
    assert 1 < clock.slept[0] <= 30


def test_no_server_makes_us_wait_longer_than_a_minute() -> None:
    clock = Clock()
    with serving(in_turn(said({}, 429, Retry_After="86400"), said({"ok": 1}))) as server:
        post(calls(clock), server)
    assert clock.slept == [60.0]


def test_each_wait_is_longer_than_the_last_and_none_is_quite_alike() -> None:
    clock = Clock()
    with serving(lambda _: said({"oh": "no"}, 500)) as server:
        with pytest.raises(Failed, match=r"500.*oh"):
            post(calls(clock), server)
        assert len(server.asked) == 4
    first, second, third = clock.slept
    assert 0.5 <= first <= 1 <= second <= 1.5 < 2 <= third <= 2.5
    assert first % 0.5 or second % 0.5 or third % 0.5


def test_a_request_that_is_wrong_is_not_repeated() -> None:
    with serving(lambda _: said({"error": "too long"}, 400)) as server:
        with pytest.raises(Failed, match=r"400.*too long"):
            post(calls(), server)
        assert len(server.asked) == 1


def test_no_try_begins_once_patience_has_run_out() -> None:
    impatient = Calls(Allowed.read("127.0.0.1"), sleep=lambda _: None, patience_s=0)
    with serving(lambda _: said({}, 500)) as server:
        with pytest.raises(Failed, match="500"):
            post(impatient, server)
        assert len(server.asked) == 1


def test_junk_is_asked_for_again() -> None:
    with serving(in_turn((200, {}, b"<html>"), (200, {}, b'{"half'), said({"ok": 1}))) as server:
        assert post(calls(), server) == {"ok": 1}


def test_a_connection_that_breaks_is_made_again() -> None:
    with serving(in_turn((0, {}, b"junk\r\n\r\n"), said({"ok": 1}))) as server:
        assert post(calls(), server) == {"ok": 1}


def test_nobody_at_home_is_said_so() -> None:
    with serving(lambda _: said({})) as server:
        pass
    with pytest.raises(Failed, match="not reached"):
        post(calls(), server)


@pytest.mark.parametrize("length", [None, "6000000000"])
def test_an_answer_without_end_is_not_read_to_its_end(length: str | None) -> None:
    body = b"x" * (MAX_ANSWER_BYTES + 1_000_000)
    head = f"Content-Length: {length}\r\n" if length else "Connection: close\r\n"
    with serving(lambda _: (0, {}, f"HTTP/1.1 200 OK\r\n{head}\r\n".encode() + body)) as server:
        with pytest.raises(Failed, match="larger than"):
            post(calls(), server)
        assert len(server.asked) == 1


def test_a_server_that_only_listens_runs_out_of_time() -> None:
    over = threading.Event()

    def silent(_: Asked) -> Said:
        over.wait(30)
        return said({})

    with serving(silent) as server:
        with pytest.raises(Failed, match=r"no answer within 0\.05 s"):
            post(calls(), server, timeout_s=0.05)
        over.set()


def test_a_server_that_trickles_runs_out_of_time_as_a_whole() -> None:
    """Every byte comes within the time that one read may take; all together do not."""
    over = threading.Event()
    listener = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=drip, args=(listener, over), daemon=True)
    thread.start()
    one = calls()
    with pytest.raises(Failed, match="no answer within"):
        one.post(f"http://127.0.0.1:{listener.getsockname()[1]}", {}, {}, 0.3, one.pace("x", None))
    over.set()
    thread.join(30)
    assert not thread.is_alive()


def drip(listener: socket.socket, over: threading.Event) -> None:
    """Answers the four tries a byte at a time."""
    with listener:
        for _ in range(4):
            connection, _address = listener.accept()
            with connection, contextlib.suppress(OSError):  # given up on us, as it should
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
                while not over.wait(0.02):
                    connection.sendall(b" ")


def test_a_redirect_is_said_and_not_followed() -> None:
    with (
        serving(lambda _: said({})) as inside,
        serving(lambda _: said({}, 307, Location=f"http://localhost:{inside.port}/")) as server,
    ):
        with pytest.raises(Failed, match="redirects are not followed"):
            post(calls(), server)
        assert inside.asked == []


def test_an_address_inside_is_refused_with_a_sentence_and_once() -> None:
    with serving(lambda _: said({})) as server:
        with pytest.raises(Failed, match="no public address"):
            post(Calls(sleep=lambda _: None), server)
        assert server.asked == []


def test_a_server_that_repeats_our_key_does_not_give_it_away() -> None:
    repeating = said({"error": "Incorrect API key: sk-very-secret"}, 401)
    with serving(lambda _: repeating) as server, pytest.raises(Failed, match="401") as caught:
        post(calls(), server, Authorization="Bearer sk-very-secret")
    assert "sk-very-secret" not in str(caught.value)
    assert "Incorrect API key: **********" in str(caught.value)


def test_requests_keep_to_their_pace() -> None:
    clock = Clock()
    pace = Pace(4, clock.sleep, clock.now)
    for _ in range(5):
        pace.wait()
    assert clock.now() == pytest.approx(1.0)


def test_without_a_limit_nobody_waits() -> None:
    clock = Clock()
    Pace(None, clock.sleep, clock.now).wait()
    assert clock.slept == []


def test_no_more_than_so_many_are_under_way_at_once() -> None:
    lock, under_way, most = threading.Lock(), 0, 0
    full = threading.Event()

    def work(n: int) -> int:
        nonlocal under_way, most
        with lock:
            under_way += 1
            most = max(most, under_way)
            if under_way == 3:
                full.set()
        full.wait(20)
        with lock:
            under_way -= 1
        return n

    assert calls().each(work, range(12), "here", 3) == [*range(12)]
    assert most == 3


def test_a_place_that_is_out_is_given_up_for_the_rest_of_the_batch() -> None:
    tried = []

    def work(n: int) -> int:
        tried.append(n)
        raise Failed("it was not reached")

    found = calls().each(work, range(100), "here", 1)
    assert len(tried) == GIVE_UP_AFTER
    assert len(found) == 100
    assert "not asked" in str(found[-1])


def test_what_is_wrong_with_single_requests_gives_up_on_none() -> None:
    def work(n: int) -> int:
        raise Failed("too long", is_of_the_server=False)

    found = calls().each(work, range(50), "here", 1)
    assert {str(one) for one in found} == {"too long"}
