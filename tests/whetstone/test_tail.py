"""Watching a job: every event once, in order, for any number of viewers."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.db.backends.signals import connection_created
from django.db.models import QuerySet
from pytest_django import DjangoAssertNumQueries

from contracts.event import Finished, Metrics, Report
from tests.whetstone.factories import make_job
from whetstone.jobs.claim import claim
from whetstone.jobs.models import Event, Job
from whetstone.jobs.record import ask, record
from whetstone.jobs.tail import BATCH, ToldEvent, Watch, as_json, follow, look, tail, told

pytestmark = pytest.mark.django_db(transaction=True)


async def numbers(job: Job, after: int = 0) -> list[int]:
    return [event.number async for events in follow(job.id, after) for event in events]


def report(token: str, job: Job, first: int, count: int) -> None:
    steps = range(first, first + count)
    record(job.id, token, tuple(Report(seq=s, at=time.time(), event=Metrics(step=s, values={})) for s in steps))


async def elsewhere(write: Callable[..., None], *arguments: Any) -> None:
    """Write as another process would: in a thread and over a connection of its own, which it closes."""

    def write_and_close() -> None:
        try:
            write(*arguments)
        finally:
            connection.close()

    await asyncio.to_thread(write_and_close)


def finish(token: str, job: Job, seq: int) -> None:
    end = Finished(step=seq, files=(), parameters=1, trained_tokens=0)
    record(job.id, token, (Report(seq=seq, at=time.time(), event=end),))


def started() -> tuple[Job, str]:
    job = make_job()
    claimed = claim("w1", "cpu")
    assert claimed is not None
    return job, claimed.token


def test_viewers_who_come_at_different_times_see_every_event_once_and_in_order() -> None:
    async def watched(job: Job, token: str) -> list[list[int]]:
        viewers = [asyncio.create_task(numbers(job))]
        for batch in range(4):
            await elsewhere(report, token, job, 1 + 10 * batch, 10)
            viewers.append(asyncio.create_task(numbers(job)))
            await asyncio.sleep(0.05)
        await elsewhere(finish, token, job, 41)
        return await asyncio.wait_for(asyncio.gather(*viewers), 20)

    job, token = started()
    seen = asyncio.run(watched(job, token))
    everything = list(Event.objects.filter(job=job).order_by("number").values_list("number", flat=True))
    assert len(everything) >= 43
    assert all(one == everything for one in seen)
    assert not Watch._open


def test_a_viewer_who_comes_back_goes_on_behind_the_last_event_seen() -> None:
    job, token = started()
    report(token, job, 1, 30)
    ask(job.id, Job.Wish.CANCEL)
    finish(token, job, 31)
    assert asyncio.run(numbers(job, after=20)) == list(range(21, Job.objects.get(id=job.id).last_event + 1))


def test_a_viewer_who_waits_behind_deleted_events_does_not_ask_for_them_on_and_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[str] = []

    def counted(events: QuerySet[Event]) -> list[ToldEvent]:
        asked.append(str(events.query))
        return told(events)

    monkeypatch.setattr("whetstone.jobs.tail.told", counted)

    async def watched(job: Job, token: str) -> list[int]:
        viewer = asyncio.create_task(numbers(job, after=1))
        await asyncio.sleep(0.6)
        await elsewhere(finish, token, job, 31)
        return await asyncio.wait_for(viewer, 20)

    job, token = started()
    report(token, job, 1, 30)
    Event.objects.filter(job=job, number__gt=1).delete()
    seen = asyncio.run(watched(job, token))
    assert seen == [34, 35]
    assert len(asked) <= 2


def test_a_job_whose_last_events_were_deleted_has_told_all() -> None:
    job, token = started()
    finish(token, job, 1)
    Event.objects.filter(job=job, number__gt=2).delete()
    assert asyncio.run(asyncio.wait_for(numbers(job), 20)) == [1, 2]


def test_a_viewer_who_leaves_takes_nobody_s_watch_along() -> None:
    async def watched(job: Job, token: str) -> list[int]:
        first = asyncio.create_task(numbers(job))
        await asyncio.sleep(0.3)
        second = asyncio.create_task(numbers(job))
        await asyncio.sleep(0.3)
        first.cancel()
        await elsewhere(report, token, job, 1, 3)
        await elsewhere(finish, token, job, 4)
        return await asyncio.wait_for(second, 20)

    job, token = started()
    seen = asyncio.run(watched(job, token))
    assert seen == list(range(1, Job.objects.get(id=job.id).last_event + 1))


def test_an_event_that_tells_of_an_attempt_keeps_its_own_number() -> None:
    job, _ = started()
    read = [as_json(event) for event in tail(job.id)]
    assert [event["number"] for event in read] == [1, 2, 3]
    assert (read[-1]["type"], read[-1]["attempt"], read[-1]["worker"]) == ("attempt", 1, "w1")


def test_a_watch_leaves_no_connection_open() -> None:
    job, token = started()
    report(token, job, 1, 3)
    finish(token, job, 4)
    opened = []
    connection_created.connect(note := lambda connection, **_: opened.append(connection))
    try:
        asyncio.run(numbers(job))
    finally:
        connection_created.disconnect(note)
    assert opened
    assert all(one.connection is None for one in opened)


def test_many_jobs_are_looked_at_with_one_query(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    job, token = started()
    jobs = [make_job() for _ in range(3)] + [Job.objects.get(id=job.id)]
    seen = {one.id: one.last_event for one in jobs}
    with django_assert_num_queries(1):
        assert {one.job_id: (one.newest, one.events) for one in look(seen)} == {
            name: (newest, []) for name, newest in seen.items()
        }
    report(token, job, 1, 2)
    with django_assert_num_queries(2):
        (news,) = [one for one in look(seen) if one.events]
    assert (news.job_id, [event.step for event in news.events]) == (job.id, [1, 2])


def test_a_job_that_ended_with_more_than_one_look_reads_has_told_all_when_all_is_read() -> None:
    job, token = started()
    watch = Watch(job.id)

    def look_again() -> bool:
        (found,) = look({job.id: watch.newest})
        watch._take_in(found)
        return watch.has_ended

    assert not look_again()
    report(token, job, 1, BATCH)
    finish(token, job, BATCH + 1)
    assert [look_again(), look_again()] == [False, True]
    assert watch.newest == Job.objects.get(id=job.id).last_event
