"""The rows' parts in a held-out number: their mean is the number, and their spread how sure it is."""

import random
from statistics import fmean, stdev

import pytest

from trainer_worker.evaluate import mean_of, mean_of_each


def test_rows_that_count_the_same_are_their_own_parts() -> None:
    found = mean_of_each("accuracy", [1.0, 0.0, 1.0])
    assert found.values == {"accuracy": pytest.approx(2 / 3)}
    assert found.rows == {"accuracy": (1.0, 0.0, 1.0)}


def test_several_answers_a_row_are_one_part() -> None:
    assert mean_of("reward_mean", [1.0, 3.0], [2, 2]).rows == {"reward_mean": pytest.approx((0.5, 1.5))}


def test_the_mean_of_the_parts_is_the_number_however_long_the_rows_are() -> None:
    found = mean_of("loss", [10.0, 1.0, 6.0], [5, 1, 12])
    assert found.values["loss"] == pytest.approx(17 / 18)
    assert fmean(found.rows["loss"]) == pytest.approx(17 / 18)


def test_a_row_without_anything_pulls_nowhere() -> None:
    found = mean_of("reward_mean", [2.0, 0.0], [2, 0])
    assert found.values["reward_mean"] == 1.0
    assert found.rows["reward_mean"] == (1.0, 1.0)


def test_the_spread_of_the_parts_is_that_of_the_number_over_other_rows() -> None:
    """Against many draws of new rows, whose lengths differ and go with their loss."""
    draw = random.Random(3)

    def drawn() -> tuple[list[float], list[float]]:
        counts = [draw.randint(1, 30) for _ in range(60)]
        return [n * (1 + n / 30) + draw.gauss(0, 3) for n in counts], [float(n) for n in counts]

    found = [mean_of("loss", *drawn()) for _ in range(600)]
    true_error = stdev(one.values["loss"] for one in found)
    told_error = fmean(stdev(one.rows["loss"]) / 60**0.5 for one in found)
    assert told_error == pytest.approx(true_error, rel=0.1)
