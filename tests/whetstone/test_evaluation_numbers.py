"""What evaluations come to, against numbers worked out by hand."""

import math

import pytest

from contracts.fault import Fault
from tests.whetstone.evaluations import evaluated
from tests.whetstone.factories import PROMPTS, make_dataset, make_job, make_model
from whetstone.evaluations.answers import answers_of, answers_to_rows
from whetstone.evaluations.comparison import card_of, compare
from whetstone.evaluations.find import comparable
from whetstone.evaluations.mcnemar import mcnemar
from whetstone.evaluations.numbers import Measure, numbers_of, pass_at
from whetstone.evaluations.overlap import overlaps_of
from whetstone.jobs.models import Event, Job

RIGHT, WRONG = [1.0], [0.0]


def named(measures: list[Measure]) -> dict[str, Measure]:
    return {one["name"]: one for one in measures}


def test_the_mean_has_wilsons_interval_where_rows_are_right_or_wrong() -> None:
    found = numbers_of(evaluated([RIGHT] * 8 + [WRONG] * 2))
    mean = named(found["measures"])["mean"]
    assert (mean["value"], mean["rows"], mean["method"]) == (0.8, 10, "wilson")
    assert mean["low"] == pytest.approx(0.4902, abs=1e-4)  # Wilson 1927 for 8 of 10, worked out by hand
    assert mean["high"] == pytest.approx(0.9433, abs=1e-4)
    assert named(found["measures"])["accuracy"]["value"] == 0.8
    assert named(found["measures"])["length_mean"]["value"] == pytest.approx(7.5)
    assert named(found["measures"])["truncated"]["value"] == pytest.approx(0.1)
    assert found["histogram"] is not None
    assert (found["histogram"]["counts"][0], found["histogram"]["counts"][-1]) == (2, 8)
    assert "pass@1" not in named(found["measures"])


def test_what_is_not_scored_is_told_and_counts_in_no_mean() -> None:
    rows: list[list[float | None]] = [[1.0], [None], [0.0], [1.0]]
    found = named(numbers_of(evaluated(rows))["measures"])
    assert found["mean"]["value"] == pytest.approx(2 / 3)
    assert (found["mean"]["rows"], found["not_scored"]["value"], found["errors"]["value"]) == (3, 0.25, 0.25)


@pytest.mark.parametrize(
    ("k", "n", "right", "expected"),
    [(1, 4, 1, 0.25), (2, 4, 1, 0.5), (4, 4, 1, 1.0), (2, 5, 0, 0.0), (3, 10, 4, 1 - 20 / 120), (2, 3, 2, 1.0)],
)
def test_pass_at_k_is_the_unbiased_estimate(k: int, n: int, right: int, expected: float) -> None:
    assert pass_at(k, n, right) == pytest.approx(expected)


def test_pass_at_k_of_many_rows_is_their_mean_with_an_interval() -> None:
    rows: list[list[float | None]] = [
        [1.0, 0.0, 0.0, 0.0],
        [1.0, 1.0, 0.0, 0.0],
        [0.0, 0.0, 0.0, 0.0],
        [1.0, None, 0.0, 1.0],
    ]
    found = named(numbers_of(evaluated(rows))["measures"])
    assert found["pass@1"]["value"] == pytest.approx((0.25 + 0.5 + 0 + 2 / 3) / 4)
    assert found["pass@2"]["value"] == pytest.approx((0.5 + (1 - 1 / 6) + 0 + 1) / 4)
    assert found["pass@4"]["value"] == pytest.approx(2 / 3)
    assert found["pass@4"]["rows"] == 3
    low, high = found["pass@2"]["low"], found["pass@2"]["high"]
    assert low is not None
    assert high is not None
    assert 0 <= low < found["pass@2"]["value"] < high <= 1.2


@pytest.mark.parametrize(
    ("right", "wrong", "expected"),
    # Two-sided binomial tests with p = 1/2, as tables have them.
    [(0, 0, 1.0), (5, 0, 0.0625), (0, 6, 0.03125), (8, 2, 0.109375), (10, 10, 1.0), (15, 4, 0.0192108)],
)
def test_mcnemars_test_is_exact(right: int, wrong: int, expected: float) -> None:
    assert mcnemar(right, wrong) == pytest.approx(expected, rel=1e-5)


def test_a_better_model_ships() -> None:
    baseline = evaluated([WRONG] * 12 + [RIGHT] * 6)
    candidate = evaluated([RIGHT] * 12 + [WRONG] + [RIGHT] * 5, text="better", model="tuned")
    assert [one.pk for one in comparable(candidate)] == [baseline.pk]
    found = compare(candidate, baseline)
    assert (len(found.wins), len(found.losses), found.ties) == (12, 1, 5)
    assert (found.turned_right, found.turned_wrong) == (12, 1)
    assert found.p_value == pytest.approx(2 * 14 / 2**13)
    delta = named(found.measures)["delta"]
    assert delta["value"] == pytest.approx(11 / 18)
    assert delta["method"] == "paired_bootstrap"
    assert delta["low"] is not None
    assert delta["low"] > 0.2
    assert found.probability is not None
    assert found.probability > 0.99
    assert card_of(found).verdict == "ship"
    assert card_of(found, ("delta > 0", "regressed <= 0.2")).verdict == "cant_tell"  # one of 18 may be a quarter
    assert card_of(found, ("delta > 0.9",)).verdict == "dont_ship"
    assert found.losses[0].row == 12

    both = answers_to_rows(candidate, [12])[12][0], answers_to_rows(baseline, [12])[12][0]
    assert [one.stored["completion"][:6] if one.stored else "" for one in both] == ["better", "an ans"]
    assert card_of(compare(baseline, candidate)).verdict == "dont_ship"


def test_nobody_can_tell_by_a_few_rows_or_where_many_are_not_scored() -> None:
    one, other = evaluated([RIGHT, WRONG, RIGHT]), evaluated([RIGHT, RIGHT, RIGHT], model="tuned")
    assert card_of(compare(other, one)).verdict == "cant_tell"
    clear, gaps = evaluated([WRONG] * 20), evaluated([RIGHT] * 18 + [[None]] * 2, model="tuned")
    card = card_of(compare(gaps, clear))
    assert (card.verdict, card.too_few) == ("cant_tell", True)
    with pytest.raises(Fault, match="no requirement"):
        card_of(compare(gaps, clear), ("speed > 3",))


def test_only_what_was_asked_alike_is_compared() -> None:
    one, other = evaluated([RIGHT] * 4), evaluated([RIGHT] * 6, model="tuned")
    with pytest.raises(Fault, match="limit"):
        compare(other, one)


def test_answers_are_found_by_what_is_wrong_with_them() -> None:
    found = evaluated([RIGHT, WRONG, [None], RIGHT])
    worst = answers_of(found, order="worst", only="all", limit=2, offset=0)
    assert (worst.total, [one.row for one in worst.rows]) == (4, [2, 1])
    assert [one.row for one in answers_of(found, order="row", only="failed", limit=9, offset=0).rows] == [1]
    assert [one.row for one in answers_of(found, order="row", only="truncated", limit=9, offset=0).rows] == [0]
    assert [one.row for one in answers_of(found, order="row", only="errors", limit=9, offset=0).rows] == [2]
    Event.objects.filter(type="rollouts").delete()  # as housekeeping does after some time
    kept = answers_of(found, order="row", only="all", limit=9, offset=0).rows
    assert [(one.score, one.stored) for one in kept] == [(1.0, None), (0.0, None), (None, None), (1.0, None)]


def test_rows_that_the_model_was_trained_on_are_counted_through_its_whole_lineage() -> None:
    shouted = [row | {"messages": [{"role": "user", "content": f" {n}+{n}=?  "}]} for n, row in enumerate(PROMPTS)]
    make_dataset(
        shouted[:3] + [row | {"messages": [{"role": "user", "content": "new"}]} for row in shouted[3:6]], "old"
    )
    first = make_job(training_file="old")
    Job.objects.filter(id=first.id).update(trained=make_model("middle"), status="succeeded")
    second = make_job(model="middle")
    Job.objects.filter(id=second.id).update(trained=make_model("last"), status="succeeded")
    make_dataset(PROMPTS[:4], "other")

    found = overlaps_of(evaluated([RIGHT] * 4, model="last", dataset="other"))
    assert [str(one.dataset) for one in found.seen] == ["sums@1", "old@1"]
    assert (found.rows, found.of) == (4, 4)
    found = overlaps_of(evaluated([RIGHT] * 4, model="middle", dataset="other"))
    assert [sorted(one.rows or ()) for one in found.seen] == [[0, 1, 2]]
    assert overlaps_of(evaluated([RIGHT] * 4, model="tiny", dataset="other")).rows == 0


def test_thousands_of_rows_are_counted_in_a_moment() -> None:
    found = named(numbers_of(evaluated([[float(n % 3 == 0), 0.0] for n in range(20)]))["measures"])
    assert math.isclose(found["pass@2"]["value"], 7 / 20)
