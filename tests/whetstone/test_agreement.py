"""Coefficients of agreement, as they were published."""

import pytest

from whetstone.labels.agreement import agreement, cohens_kappa, krippendorffs_alpha


def test_cohens_kappa_of_fifty_proposals() -> None:
    """Twenty proposals that both accept, fifteen that neither does: p_o = 0.7, p_e = 0.5 (the example of Wikipedia's
    page on Cohen's kappa)."""
    one = ["yes"] * 25 + ["no"] * 25
    other = ["yes"] * 20 + ["no"] * 5 + ["yes"] * 10 + ["no"] * 15
    assert cohens_kappa(one, other) == pytest.approx(0.4)


def test_krippendorffs_alpha_of_two_observers() -> None:
    """Krippendorff (2011), B: binary data, two observers."""
    one, other = "0100000010", "1110010000"
    assert krippendorffs_alpha(list(zip(one, other, strict=True))) == pytest.approx(0.095, abs=5e-4)


def test_krippendorffs_alpha_of_four_observers_who_did_not_judge_everything() -> None:
    """Krippendorff (2011), C: nominal data, any number of observers, missing data."""
    observers = ("123321412...", "12332241" + "25.3", ".333234225" + "1.", "12332441251.")
    units = [[word for word in unit if word != "."] for unit in zip(*observers, strict=True)]
    assert krippendorffs_alpha(units) == pytest.approx(0.743, abs=5e-4)


def test_only_what_two_people_judged_counts() -> None:
    found = agreement({"a": {1: "x", 2: "x"}, "b": {1: "x", 2: "y"}, "c": {1: "y", 2: "y"}, "d": {3: "x"}})
    assert found is not None
    assert (found.people, found.shared) == (2, 3)
    assert found.same == pytest.approx(2 / 3)
    assert found.kappa == pytest.approx(0.4)
    assert agreement({"a": {1: "x"}, "b": {2: "x"}}) is None


def test_nobody_disagrees_where_there_is_one_word() -> None:
    found = agreement({"a": {1: "x", 2: "x"}})
    assert found is not None
    assert (found.same, found.alpha, found.kappa) == (1.0, None, None)
    three = agreement({"a": {1: "x", 2: "x", 3: "y"}})
    assert three is not None
    assert (three.people, three.kappa) == (3, None)
