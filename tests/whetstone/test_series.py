"""Curves for the eye: few points, no spike lost, and little memory however long the job was."""

import tracemalloc

from django.utils import timezone

from tests.whetstone.factories import make_job
from whetstone.jobs.models import Event, Job
from whetstone.jobs.series import series


def job_of(steps: int, keys: int = 1) -> Job:
    job = make_job()
    Event.objects.bulk_create(
        Event(job=job, number=10 + n, attempt=1, seq=n, type="metrics", step=n, at=timezone.now(), data=values(n, keys))
        for n in range(1, steps + 1)
    )
    job.last_event = 10 + steps
    job.save(update_fields=["last_event"])
    return job


def values(step: int, keys: int) -> dict[str, dict[str, float]]:
    spike = 100.0 if step == 777 else -100.0 if step == 778 else step / 10_000
    return {"values": {f"key{n}": spike for n in range(keys)}}


def test_a_short_job_shows_every_step() -> None:
    assert [step for step, _ in series(job_of(100), max_points=100)["points"]["key0"]] == list(range(1, 101))


def test_a_long_job_is_thinned_in_order_and_keeps_its_spikes() -> None:
    points = series(job_of(5003), max_points=100)["points"]["key0"]
    assert len(points) <= 102
    assert points == sorted(points)
    assert {(777, 100.0), (778, -100.0)} <= set(points)
    assert points[-1][0] > 4950


def test_a_key_that_comes_late_has_a_curve_too() -> None:
    job = job_of(10)
    job.events.filter(step=9).update(data={"values": {"late": 1.0}})
    assert series(job)["points"]["late"] == [(9, 1.0)]
    assert (9, 0.0009) not in series(job)["points"]["key0"]


def test_a_long_job_takes_little_memory() -> None:
    job = job_of(6000, keys=30)
    tracemalloc.start()
    series(job, max_points=100)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8_000_000
