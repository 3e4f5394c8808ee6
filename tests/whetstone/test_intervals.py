"""Confidence intervals: textbook values, and whether they cover the truth as often as they say."""

import random
import time
from statistics import fmean

import pytest

from contracts.event import Evaluation, Report
from tests.whetstone.factories import make_job
from whetstone.jobs.claim import claim
from whetstone.jobs.evaluations import evaluations_of, measures_of
from whetstone.jobs.headline import headline_of
from whetstone.jobs.intervals import of_difference, of_mean, student
from whetstone.jobs.models import Job
from whetstone.jobs.record import record


@pytest.mark.parametrize(
    ("confidence", "freedom", "quantile"),
    [
        *((0.95, 1, 12.706), (0.95, 2, 4.303), (0.95, 3, 3.182), (0.9, 10, 1.812), (0.99, 7, 3.499)),
        *((0.95, 60, 2.000), (0.95, 120, 1.980), (0.5, 4, 0.741), (0.95, 50_000, 1.960)),
    ],
)
def test_student_s_t_is_as_in_the_tables(confidence: float, freedom: int, quantile: float) -> None:
    assert student(confidence, freedom) == pytest.approx(quantile, abs=1.5e-3)


def test_rows_that_are_right_or_wrong_have_wilson_s_interval() -> None:
    found = of_mean([1.0] * 8 + [0.0] * 2, 0.95)
    assert found is not None
    assert (found.method, round(found.low, 4), round(found.high, 4)) == ("wilson", 0.4902, 0.9433)
    certain = of_mean([1.0] * 10, 0.95)
    assert certain is not None
    assert (round(certain.low, 4), certain.high) == (0.7225, 1.0), "ten out of ten is not always"


def test_one_row_says_nothing() -> None:
    assert of_mean([0.5], 0.95) is None
    assert of_difference([0.5], [0.6], 0.95) is None


def test_the_same_rows_give_the_same_interval() -> None:
    before, after = [random.Random(1).random() for _ in range(30)], [random.Random(2).random() for _ in range(30)]
    assert of_difference(before, after, 0.95) == of_difference(before, after, 0.95)


def test_pairing_sees_a_small_change_that_every_row_made() -> None:
    rows = [random.Random(n).random() for n in range(50)]
    moved = [row + 0.02 + 0.01 * random.Random(n + 99).random() for n, row in enumerate(rows)]
    found = of_difference(rows, moved, 0.99)
    assert found is not None
    assert 0.02 < found.low < found.high < 0.03


@pytest.mark.parametrize("rows", [8, 40])
def test_an_interval_covers_the_truth_as_often_as_it_says(rows: int) -> None:
    draw, tries = random.Random(rows), 400
    means, changes = 0, 0
    for _ in range(tries):
        before = [draw.betavariate(2, 5) for _ in range(rows)]
        after = [row + draw.gauss(0.1, 0.3) for row in before]
        mean, change = of_mean(before, 0.9), of_difference(before, after, 0.9)
        assert mean is not None
        assert change is not None
        means += mean.low <= 2 / 7 <= mean.high
        changes += change.low <= 0.1 <= change.high
    assert 0.85 < means / tries < 0.95
    assert 0.85 < changes / tries < 0.95


def job_told(*evaluations: Evaluation) -> Job:
    job = make_job()
    claimed = claim("w1", "cpu")
    assert claimed
    reports = (Report(seq=n, at=time.time(), event=one) for n, one in enumerate(evaluations, start=1))
    record(job.id, claimed.token, tuple(reports))
    return job


def test_a_job_s_measures_are_of_its_last_evaluation_and_of_the_way_since_its_first() -> None:
    rows = [(0.1, 0.3, 0.2, 0.4), (0.5, 0.2, 0.6, 0.7), (0.5, 0.6, 0.6, 0.7)]
    job = job_told(
        *(
            Evaluation(step=5 * n, values={"reward_mean": fmean(one), "loss": 2.0 - n}, rows={"reward_mean": one})
            for n, one in enumerate(rows)
        )
    )
    told = evaluations_of(job)
    found = {one.name: one for one in measures_of(told, headline_of("grpo", [one.values for one in told]), 0.95)}
    assert found["valid_reward_mean"].value == pytest.approx(0.6)
    assert found["valid_reward_mean"].rows == 4
    assert found["delta_vs_start"].value == pytest.approx(0.35)
    assert found["delta_vs_start"].interval == of_difference(rows[0], rows[2], 0.95)
    assert (found["valid_loss"].interval, found["delta_valid_loss"].value) == (None, -2.0)


def test_a_loss_that_falls_is_a_change_for_the_better() -> None:
    job = job_told(
        Evaluation(step=0, values={"loss": 2.0}, rows={"loss": (1.5, 2.5, 2.0)}),
        Evaluation(step=4, values={"loss": 1.0}, rows={"loss": (0.5, 1.4, 1.1)}),
    )
    told = evaluations_of(job)
    found = {one.name: one for one in measures_of(told, headline_of("lora", [one.values for one in told]), 0.95)}
    assert found["delta_vs_start"].value == 1.0
    assert found["delta_vs_start"].interval is not None
    assert found["delta_vs_start"].interval.low > 0
    assert found["delta_valid_loss"].value == -1.0


def test_the_rows_of_an_evaluation_stay_out_of_what_its_event_says() -> None:
    job = job_told(Evaluation(step=0, values={"loss": 2.0}, rows={"loss": (1.5, 2.5)}))
    event = job.events.get(type="evaluation")
    assert (event.data, event.rows) == ({"values": {"loss": 2.0}}, {"loss": [1.5, 2.5]})
