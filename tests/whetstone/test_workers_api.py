"""Pools and workers over REST."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from tests.whetstone.factories import make_job, make_key, make_user, make_worker
from whetstone.jobs.claim import claim
from whetstone.workers.models import Worker

pytestmark = pytest.mark.django_db


def get(path: str, who: str = "ada") -> list[dict[str, Any]]:
    answer = Client(headers={"authorization": f"Bearer {make_key(make_user(who))}"}).get(f"/api/v1/{path}")
    assert answer.status_code == 200, answer.content
    found: list[dict[str, Any]] = answer.json()["data"]
    return found


def test_a_worker_tells_its_machine_and_the_team_s_own_job() -> None:
    make_worker("w1")
    job = make_job()
    claim("w1", "cpu")
    (mine,) = get("workers")
    assert (mine["name"], mine["pool"], mine["is_alive"], mine["job"]) == ("w1", "cpu", True, job.id)
    assert mine["machine"]["cores"] == 2
    (theirs,) = get("workers", who="eve")
    assert (theirs["is_busy"], theirs["job"]) == (True, None)


def test_a_pool_tells_how_many_are_alive_and_free_and_which_one_auto_takes() -> None:
    for name, pool in (("a", "cpu"), ("b", "cpu"), ("c", "h100")):
        make_worker(name, pool)
    Worker.objects.filter(name="b").update(seen_at=timezone.now() - timedelta(hours=1))
    make_worker("d", "h100")
    make_job(resources={"pool": "cpu"})
    claim("a", "cpu")
    assert get("pools") == [
        {"name": "cpu", "workers": 2, "alive": 1, "free": 0, "is_auto": False},
        {"name": "h100", "workers": 2, "alive": 2, "free": 2, "is_auto": True},
    ]


def test_before_the_first_worker_there_is_a_pool_to_wait_for() -> None:
    assert get("workers") == []
    assert get("pools") == [{"name": "cpu", "workers": 0, "alive": 0, "free": 0, "is_auto": True}]
