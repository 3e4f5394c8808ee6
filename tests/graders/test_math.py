from collections.abc import Iterator
from time import perf_counter

import pytest

from graders import Grade, GraderError, Port, grade, parse
from graders.sandbox import Jails


@pytest.fixture(scope="module")
def port() -> Iterator[Port]:
    with Jails() as jails:
        yield Port(jails=jails)


def graded(port: Port, pairs: list[tuple[str, object]], **fields: object) -> list[Grade]:
    samples = [{"output_text": answer} for answer, _ in pairs]
    return grade(parse({"type": "math"} | fields), samples, [{"reference": right} for _, right in pairs], port)


def scores(port: Port, pairs: list[tuple[str, object]], **fields: object) -> list[float | None]:
    return [receipt.score for receipt in graded(port, pairs, **fields)]


# The documented example of TRL's accuracy_reward.
def test_a_third_and_a_half_score_as_trl_documents(port: Port) -> None:
    third = r"\frac{1}{3}"
    pairs: list[tuple[str, object]] = [
        (r"My answer is \boxed{\frac{1}{3}}", third),
        (r"My answer is \boxed{\frac{1}{2}}", third),
    ]
    assert scores(port, pairs) == [1.0, 0.0]


def test_what_means_the_same_is_right_however_it_is_written(port: Port) -> None:
    same: list[tuple[str, object]] = [
        ("So it is 1/3.", r"\frac{1}{3}"),
        (r"$x^2 + 2x + 1$", r"$(x+1)^2$"),
        (r"\boxed{2\sqrt{2}}", r"\sqrt{8}"),
        (r"$\{1, 2\}$", r"$\{2, 1\}$"),
        (r"$\frac{\pi}{2}$", r"$0.5\pi$"),
        ("答案是 $\\frac{1}{2}$。", "0.5"),
        ("18", 18),
        ("It is 18.", "She sells 9 eggs, so \\boxed{18}."),
        ("1,000", "1000"),
    ]
    assert scores(port, same) == [1.0] * len(same)
    other: list[tuple[str, object]] = [
        ("$x + 1$", "$x + 2$"),
        ("$(1, 2)$", "$(2, 1)$"),
        ("-3", "3"),
        ("", "3"),
        ("?", "3"),
    ]
    assert scores(port, other) == [0.0] * len(other)


def test_what_was_read_is_the_evidence(port: Port) -> None:
    one, nothing = graded(port, [(r"\boxed{\frac{2}{4}}", "0.5"), ("no idea", "0.5")])
    assert one.evidence == {"read": r"\frac{2}{4}", "right": "0.5"}
    assert (nothing.score, nothing.errors) == (0, {})
    assert nothing.evidence == {"read": None, "right": "0.5"}


def test_only_the_last_box_may_count(port: Port) -> None:
    pairs: list[tuple[str, object]] = [
        (r"\boxed{1}, no: \boxed{\frac{1}{2}} and then 7", "0.5"),
        ("0.5", "0.5"),
        (r"\boxed{0.5", "0.5"),
    ]
    assert scores(port, pairs, find="boxed") == [1, 0, 0]


def test_numbers_agree_to_so_many_decimals(port: Port) -> None:
    assert scores(port, [("0.3333", r"\frac{1}{3}")], decimals=2) == [1]
    assert scores(port, [("0.3333", r"\frac{1}{3}")], decimals=6) == [0]


def test_a_right_answer_without_mathematics_is_flagged(port: Port) -> None:
    (receipt,) = graded(port, [("5", "no idea")])
    assert receipt.score == 0
    assert "holds no mathematics" in str(receipt.errors["other_error_details"])


def test_a_row_without_the_right_answer_harms_no_other(port: Port) -> None:
    receipts = grade(parse({"type": "math"}), [{"output_text": "5"}] * 2, [{}, {"reference": "5"}], port)
    assert [receipt.score for receipt in receipts] == [0, 1]
    assert receipts[0].errors["invalid_variable_error"] is True


def test_an_answer_that_hangs_is_cut_off_and_the_rest_goes_on(port: Port) -> None:
    started = perf_counter()
    endless = r"$\sum_{n=1}^{1000000000} \sin(n^n)$"
    receipts = graded(port, [("5", "5"), (endless, "$0.7$"), ("7", "7"), ("8", "7")], timeout_s=2)
    assert [receipt.score for receipt in receipts] == [1, 0, 1, 0]
    assert "did not finish within 2 s" in str(receipts[1].errors["other_error_details"])
    assert perf_counter() - started < 60


def test_a_tower_of_powers_harms_nobody(port: Port) -> None:
    tower = "$" + "^{".join(["9"] * 9) + "}" * 8 + "$"
    assert scores(port, [(tower, "$9^{9^{9^{9}}} + 1$"), ("$99999999!$", "5"), ("5", "5")], timeout_s=2) == [0, 0, 1]


def test_a_huge_answer_ends(port: Port) -> None:
    receipts = graded(port, [("x + " * 100_000, "5"), ("{" * 50_000, "5"), ("5", "5")], timeout_s=3)
    assert [receipt.score for receipt in receipts] == [0, 0, 1]


def test_a_batch_is_graded_without_a_port_too() -> None:
    assert scores(Port(), [("1/2", "0.5")]) == [1]
    assert grade(parse({"type": "math"}), [], []) == []


@pytest.mark.parametrize(
    ("fields", "path", "message"),
    [
        ({"find": "box"}, "find", "“box” is not one of anywhere, boxed"),
        ({"timeout_s": 0}, "timeout_s", "0 is less than 0.1."),
        ({"timeout": 3}, "timeout", "did you mean timeout_s?"),
        ({"decimals": 2.5}, "decimals", "2.5 is not a whole number."),
    ],
)
def test_every_problem_has_its_place_and_a_sentence(fields: dict[str, object], path: str, message: str) -> None:
    with pytest.raises(GraderError) as caught:
        parse({"type": "math"} | fields)
    (problem,) = caught.value.problems
    assert problem.path == path
    assert message in problem.message
