"""How many requests a key may send."""

from datetime import UTC, datetime

import pytest
import time_machine
from django.test import Client
from pytest_django import Settings

from tests.whetstone.factories import make_key
from tests.whetstone.pages import browser
from whetstone.accounts.ids import new_id
from whetstone.api import rate
from whetstone.api.counters import InMemory, InRedis
from whetstone.api.rate import _spend

START = datetime(2026, 11, 21, 12, 0, 0, tzinfo=UTC)


@pytest.fixture
def ten(settings: Settings) -> None:
    settings.ENVIRONMENT = settings.ENVIRONMENT.model_copy(update={"rate_limit": 10})


def client() -> Client:
    return Client(headers={"authorization": f"Bearer {make_key()}"})


def test_a_key_that_asks_too_often_is_told_when_to_come_back(ten: None) -> None:
    with time_machine.travel(START, tick=False) as now:
        http = client()
        lefts = [http.get("/v1/models")["x-ratelimit-remaining-requests"] for _ in range(10)]
        assert lefts == [str(n) for n in range(9, -1, -1)]
        answer = http.get("/v1/models")
        assert answer.status_code == 429
        assert answer.json()["error"]["code"] == "rate.exceeded"
        assert answer["x-ratelimit-limit-requests"] == "10"
        assert answer["x-request-id"]
        wait_s = int(answer["retry-after"])
        now.shift(wait_s - 2)
        assert http.get("/v1/models").status_code == 429
        now.shift(2)
        assert http.get("/v1/models").status_code == 200


def test_no_minute_holds_twice_the_limit(ten: None) -> None:
    """Fixed windows would let as many through around their edge."""
    with time_machine.travel(START, tick=False) as now:
        let_in: list[float] = []
        for second in range(0, 300, 1):
            let_in += [second] * sum(_spend("key:1", 10).wait_s == 0 for _ in range(3))
            now.shift(1)
    most = max(sum(at <= other < at + 60 for other in let_in) for at in let_in)
    assert most <= 20 * 0.75
    assert 10 * 5 * 0.7 <= len(let_in) <= 10 * 5 * 1.3


def test_who_waits_as_long_as_it_was_told_is_let_in(ten: None) -> None:
    with time_machine.travel(START, tick=False) as now:
        for _ in range(40):
            found = _spend("key:1", 10)
            if found.wait_s:
                now.shift(found.wait_s)
                assert _spend("key:1", 10).wait_s == 0
            now.shift(1)


def test_each_key_has_its_own_budget_and_pages_have_none(ten: None) -> None:
    first, second = client(), client()
    for _ in range(11):
        answer = first.get("/v1/models")
    assert answer.status_code == 429
    assert second.get("/v1/models").status_code == 200
    page = browser()
    assert {page.get("/v1/models").status_code for _ in range(12)} == {200}
    assert "x-ratelimit-limit-requests" not in page.get("/v1/models")


def test_without_a_limit_nobody_is_counted(settings: Settings) -> None:
    settings.ENVIRONMENT = settings.ENVIRONMENT.model_copy(update={"rate_limit": 0})
    assert "x-ratelimit-limit-requests" not in client().get("/v1/models")


def test_a_counter_that_is_away_closes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rate, "counts", InRedis("redis://127.0.0.1:1", 120))
    assert client().get("/v1/models").status_code == 200


def test_a_redis_counts_for_all_web_processes(redis_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    processes = [InRedis(redis_url, 120), InRedis(redis_url, 120)]
    lefts, who = [], f"key:{new_id('test')}"
    for n in range(4):
        monkeypatch.setattr(rate, "counts", processes[n % 2])
        lefts.append(_spend(who, 3))
    assert [found.left for found in lefts] == [2, 1, 0, 0]
    assert [found.wait_s > 0 for found in lefts] == [False, False, False, True]


def test_memory_forgets_what_no_window_needs() -> None:
    with time_machine.travel(START, tick=False) as now:
        counts = InMemory(kept_s=120)
        counts.add_one("a", "b")
        now.shift(60)
        assert counts.add_one("b", "a") == (1, 1)
        now.shift(61)
        assert counts.add_one("c", "a") == (1, 0)
        assert counts.add_one("c", "b") == (2, 1)
