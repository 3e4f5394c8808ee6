"""Where a job goes to by itself, and what is said where it does not fit."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from contracts.method import METHODS
from contracts.resource import Gpu, Machine
from tests.whetstone.factories import make_dataset, make_draft, make_job, make_model, make_team
from tests.whetstone.pages import browser
from whetstone.jobs.check import Checked, check
from whetstone.jobs.fitting import fitting
from whetstone.jobs.measured import MOST
from whetstone.jobs.models import Job
from whetstone.modelhub.models import Model
from whetstone.starter import model as starter
from whetstone.workers.models import Worker
from whetstone.workers.pools import standing


def join(pool: str, memory_gb: float, *, gpu: bool = False, name: str = "") -> None:
    gpus = (Gpu(name="A10", memory_gb=memory_gb),) if gpu else ()
    machine = Machine(host=pool, pid=1, cores=2, memory_gb=64 if gpu else memory_gb, gpus=gpus)
    Worker.objects.create(name=name or pool, pool=pool, machine=machine.model_dump(mode="json"), seen_at=timezone.now())


@pytest.fixture
def half_a_billion() -> None:
    """Its training takes about 9 GB, with activations computed once."""
    made = make_model()
    made.config, made.parameters = starter.CONFIG, 500_000_000
    made.save()
    make_dataset()


def checked(pool: str = "auto") -> Checked:
    return check(make_team(), make_draft(resources={"pool": pool}))


def placed(pool: str = "auto") -> tuple[str, str | None]:
    found = checked(pool)
    assert found.place
    return found.place.pool.name, found.place.fit


def test_a_job_goes_to_the_smallest_pool_with_gpus_that_it_fits_into(half_a_billion: None) -> None:
    join("cpu", 512)
    assert placed() == ("cpu", "fits")
    join("h100", 80, gpu=True)
    assert placed() == ("h100", "fits")
    join("a10", 24, gpu=True)
    assert placed() == ("a10", "fits")
    join("t4", 8, gpu=True)
    assert placed() == ("a10", "fits")


def test_the_least_machine_of_a_pool_counts(half_a_billion: None) -> None:
    join("mixed", 80, gpu=True)
    join("mixed", 16, gpu=True, name="the small one")
    (pool,) = standing()
    assert (pool.alive, pool.memory) == (2, 16 * 2**30)


def test_where_nothing_fits_the_largest_is_taken_and_a_setting_is_named(half_a_billion: None) -> None:
    join("t4", 4, gpu=True)
    join("cpu", 2)
    assert placed() == ("t4", "too_big")
    (warning,) = checked().warnings
    assert warning.code == "job.too_big"
    assert "t4" in warning.message
    assert "micro_batch_size 1" in warning.next_step
    assert not checked().problems, "a person may still want it"


def test_who_names_a_pool_gets_it_with_a_warning(half_a_billion: None) -> None:
    join("a10", 24, gpu=True)
    join("cpu", 4)
    assert placed("a10") == ("a10", "fits")
    assert placed("cpu") == ("cpu", "too_big")
    assert [warning.code for warning in checked("cpu").warnings] == ["job.too_big"]


def test_a_pool_that_nobody_is_in_any_more_is_no_place_to_go_by_itself(half_a_billion: None) -> None:
    join("gone", 24, gpu=True)
    Worker.objects.update(seen_at=timezone.now() - timedelta(hours=1))
    join("cpu", 512)
    assert placed() == ("cpu", "fits")
    assert placed("gone") == ("gone", None), "its machines may come back"


def test_a_model_that_says_nothing_of_itself_goes_where_most_workers_are() -> None:
    join("a10", 24, gpu=True)
    join("cpu", 8)
    join("cpu", 8, name="second")
    assert make_job().pool == "cpu"


def test_a_models_page_says_what_it_can_be_trained_with_here(half_a_billion: None) -> None:
    join("t4", 4, gpu=True)
    join("a10", 24, gpu=True)
    page = browser().get(f"/models/{Model.objects.get().pk}").content.decode()
    table = page[page.index("What it can be trained with here") :].partition("</table>")[0]
    assert [name in table for name in ("t4", "a10")] == [True, True]
    assert {"Fits", "Too big"} <= set(re.findall(r'class="badge \w+">([^<]+)<', table))
    assert table.count("<tr>") == 1 + len(METHODS)


def test_a_model_that_scores_can_only_learn_to_score() -> None:
    made = make_model()
    made.config, made.parameters, made.task = starter.CONFIG, 1_000_000, Model.Task.REWARD
    join("cpu", 8)
    found = fitting(made)
    assert found
    assert [row.method for row in found.rows] == ["reward_model"]
    made.quantization = "fp8"
    assert fitting(made) is None


def measured(ratio: float, jobs: int) -> None:
    """Jobs of the same kind that held so many times what was expected."""
    for _ in range(jobs):
        job = make_job()
        assert job.expected_memory
        Job.objects.filter(id=job.id).update(peak_memory=int(job.expected_memory * ratio), finished_at=timezone.now())


def test_past_jobs_correct_the_estimate_and_say_how_far_it_was_off(half_a_billion: None) -> None:
    join("a10", 24, gpu=True)
    before = checked().place
    assert before
    assert before.memory_gb
    measured(1.4, jobs=2)
    unmoved = checked().place
    assert unmoved
    assert (unmoved.memory_gb, unmoved.correction.error) == (before.memory_gb, None), "two are too few"
    measured(1.2, jobs=3)
    after = checked().place
    assert after
    assert after.memory_gb == pytest.approx(1.2 * before.memory_gb, rel=0.02)
    assert after.correction.jobs == 5
    assert after.correction.error == pytest.approx(0.0, abs=1e-3)
    assert after.expected == before.expected, "what is stored is never corrected: the next correction would count twice"


def test_an_estimate_that_past_jobs_raise_above_the_machine_fits_no_more(half_a_billion: None) -> None:
    join("a10", 12, gpu=True)
    assert placed() == ("a10", "fits")
    measured(9.0, jobs=3)
    found = checked()
    assert found.place
    assert (found.place.fit, found.place.correction.factor) == ("too_big", MOST)
    assert [warning.code for warning in found.warnings] == ["job.too_big"]
