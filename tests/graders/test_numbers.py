from decimal import Decimal
from time import perf_counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graders import Grade, grade, parse
from graders.kinds.numbers import first, last, only


def graded(answer: str, reference: object, **fields: object) -> Grade:
    return grade(parse({"type": "number"} | fields), [{"output_text": answer}], [{"reference": reference}])[0]


def score(answer: str, reference: object, **fields: object) -> float | None:
    return graded(answer, reference, **fields).score


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("42", "42"),
        ("-3.50", "-3.5"),
        ("+7", "7"),
        ("−7", "-7"),
        (".5", "0.5"),
        ("-.5", "-0.5"),
        ("1,234,567.89", "1234567.89"),
        ("1\u00a0234\u202f567", "1234567"),
        ("6e-3", "0.006"),
        ("6E+3", "6000"),
        ("2e−2", "0.02"),
        ("$12.50", "12.5"),
        ("-$5", "-5"),
        ("€1,000", "1000"),
        ("3/4", "0.75"),
        ("-1/8", "-0.125"),
        ("４２", "42"),
        ("٤٢", "42"),
        ("  42\n", "42"),
        ("007", "7"),
    ],
)
def test_a_number_is_read_as_people_write_it(text: str, value: str) -> None:
    for pick in (only, first, last):
        reading = pick(text)
        assert reading is not None
        assert reading.value == Decimal(value)


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("the answer is 42.", ["42"]),
        ("x=-5", ["-5"]),
        ("3-5", ["3", "5"]),
        ("3–5", ["3", "5"]),
        ("x-5 and f(x)-5", ["5", "-5"]),
        ("1,2,3", ["1", "3"]),
        ("100,200,300", ["100200300"]),
        ("1,2345", ["1", "2345"]),
        ("12,345,67", ["12345", "67"]),
        ("42kg and 43 kg", ["42", "43"]),
        ("gpt4 says 7, H2O", ["7"]),
        ("version 1.2.3", ["1.2"]),
        ("well...5", ["5"]),
        ("答案是42。", ["42"]),
        (r"\boxed{42}", ["42"]),
        ("2e", ["2"]),
        ("3 eggs", ["3"]),
        ("on 1/2/2024 we had 5", ["5"]),
        ("5 on 1/2/2024", ["5"]),
        ("1/0 or 6", ["6"]),
        ("1e99999999999999999999 or 6", ["6"]),
        ("**18**", ["18"]),
        ("10 * 3 = 30", ["10", "30"]),
        ("", []),
        ("none", []),
        ("- . , / % $", []),
        ("²", []),
    ],
)
def test_the_first_and_the_last_number_of_a_text_are_found(text: str, numbers: list[str]) -> None:
    found = [first(text), last(text)]
    expected = [numbers[0], numbers[-1]] if numbers else [None, None]
    assert [reading and reading.value for reading in found] == [value and Decimal(value) for value in expected]


@pytest.mark.parametrize("text", ["42 eggs", "the 42", "1 2", "", "x", "1/2/3", "4 2", "12,34", "1e"])
def test_only_a_number_counts_where_nothing_else_may_stand(text: str) -> None:
    assert only(text) is None


def test_the_last_number_decides_unless_another_is_asked_for() -> None:
    assert score("first 18, then 20", "20") == 1
    assert score("first 18, then 20", "18") == 0
    assert score("first 18, then 20", "18", pick="first") == 1
    assert score("first 18, then 20", "20", pick="only") == 0
    assert score("20.00", "20", pick="only") == 1


def test_an_answer_without_a_number_is_wrong_and_not_an_error() -> None:
    assert graded("I do not know", "5").score == 0
    assert graded("I do not know", "5").errors == {}


def test_a_reference_without_a_number_is_flagged() -> None:
    receipt = graded("5", "five")
    assert receipt.score == 0
    assert receipt.errors["other_error"] is True
    assert "“five”" in str(receipt.errors["other_error_details"])


def test_the_reference_may_be_a_number_or_a_solution_that_ends_with_one() -> None:
    assert score("18", 18) == 1
    assert score("18.0", 18) == 1
    assert score("18", "She sells 16 - 3 - 4 = 9.\n#### 18") == 1


def test_long_integers_are_not_rounded() -> None:
    assert score("9007199254740993", "9007199254740993") == 1
    assert score("9007199254740993", "9007199254740992") == 0


def test_an_absolute_tolerance_counts_its_edge() -> None:
    assert score("10.1", "10", absolute_tolerance=0.1) == 1
    assert score("9.9", "10", absolute_tolerance=0.1) == 1
    assert score("10.11", "10", absolute_tolerance=0.1) == 0


def test_a_relative_tolerance_is_a_share_of_the_right_number() -> None:
    assert score("-101", "-100", relative_tolerance=0.01) == 1
    assert score("-101.1", "-100", relative_tolerance=0.01) == 0
    assert score("0.001", "0", relative_tolerance=0.5) == 0


def test_the_wider_tolerance_counts() -> None:
    assert score("0.05", "0", absolute_tolerance=0.1, relative_tolerance=0.01) == 1
    assert score("1009", "1000", absolute_tolerance=0.1, relative_tolerance=0.01) == 1


def test_a_percent_sign_on_one_side_may_be_meant_either_way() -> None:
    assert score("25%", "25") == 1
    assert score("25 %", "0.25") == 1
    assert score("25", "25%") == 1
    assert score("0.25", "25%") == 1
    assert score("25%", "25%") == 1
    assert score("0.25%", "25%") == 0
    assert score("25%", "2.5") == 0


MONEY = ["dollars", "dollar", "$", "US$"]


@pytest.mark.parametrize(
    ("answer", "pick", "is_right"),
    [
        ("18 dollars", "only", True),
        ("18dollars", "only", True),
        ("$18", "only", True),
        ("US$ 18.00", "only", True),
        ("18$", "only", True),
        (r"18\text{ dollars}", "only", True),
        (r"so it is $18\,\mathrm{dollars}$.", "last", True),
        ("18 dollars a day, for 30 days", "last", True),
        ("2 days, 18 dollars, 9 dollars", "first", True),
        ("18", "only", False),
        ("18 eggs", "last", False),
        ("18 dollarsx", "last", False),
        ("18 Dollars", "last", False),
        ("5 $ 18 eggs", "last", False),
        ("18 dollars", "first", True),
        ("$18 each", "only", False),
    ],
)
def test_only_numbers_with_a_unit_beside_them_count(answer: str, pick: str, is_right: bool) -> None:
    assert score(answer, 18, units=MONEY, pick=pick) == is_right


def test_a_unit_ends_where_nothing_goes_on() -> None:
    assert score("first 18 km, then 5 km/h, 6 km^2 and 7 km²", 18, units=["km"]) == 1
    assert score("5 km/h", 5, units=["km/h", "km"]) == 1
    assert score("共18元钱", 18, units=["元"]) == 1
    assert score("3.5 kg", "3500 g", units=["kg", "g"]) == 0


def test_signs_keep_their_sense_beside_a_unit() -> None:
    assert score("-$18", -18, units=["$"]) == 1
    assert score("$-18", -18, units=["$"]) == 1
    assert score("25%", "0.25", units=["%"]) == 1


def test_the_right_number_may_stand_without_its_unit() -> None:
    assert score("18 km", "18", units=["km"]) == 1
    assert score("18 km", "18 km, in 3 h", units=["km"]) == 1
    assert "no number" in str(graded("18 km", "far", units=["km"]).errors["other_error_details"])


@pytest.mark.parametrize("unit", ["1 km ", "$1", "km1 ", "$ $ ", "1\\,", "1\\text{ km", " "])
def test_a_megabyte_is_searched_for_units_in_seconds(unit: str) -> None:
    started = perf_counter()
    assert score(unit * (1_000_000 // len(unit)), "5", units=["km", "$"]) == 0
    assert perf_counter() - started < 30


@pytest.mark.parametrize("answer", ["1e999999999999999999", "-1e999999999999999999", "1e-999999999999999999"])
def test_monstrous_exponents_are_compared_at_once(answer: str) -> None:
    started = perf_counter()
    assert score(answer, "5", absolute_tolerance=1, relative_tolerance=0.1) == 0
    assert score(answer, "1/3") == 0
    assert score(answer, answer, relative_tolerance=0.1) == 1
    assert perf_counter() - started < 1


@pytest.mark.parametrize(
    "unit", ["1", "1 ", "1,", "1,111", "1/", "-", "1.", "1e", "1%", "$", "é", ".", "1e5", "\n1/1/1", ",", "1\u00a0"]
)
@pytest.mark.parametrize("pick", ["only", "first", "last"])
def test_a_megabyte_of_anything_is_searched_in_seconds(unit: str, pick: str) -> None:
    started = perf_counter()
    assert score(unit * (1_000_000 // len(unit)) + "x", "5", pick=pick) == 0
    assert perf_counter() - started < 5


@given(st.integers())
def test_an_integer_is_found_however_it_is_written(value: int) -> None:
    for written in (str(value), f"{value:,}", f"{value:_}".replace("_", "\u202f"), f"so it is {value}."):
        assert score(written, str(value)) == 1


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_float_is_found_again(value: float) -> None:
    assert score(f"= {value!r} metres", value) == 1
    assert score(f"= {value!r} metres", value, pick="first") == 1


@given(st.decimals(-(10**12), 10**12, places=3), st.decimals(min_value=0, max_value=9, places=3))
def test_what_lies_within_the_tolerance_is_right(right: Decimal, distance: Decimal) -> None:
    answer = f"{right + distance:f}"
    assert score(answer, f"{right:f}", absolute_tolerance=float(distance)) == 1
    assert score(f"{right + distance + 1:f}", f"{right:f}", absolute_tolerance=float(distance)) == 0


@given(st.text("0123456789.,/%eE+-−$ x\u00a0\n٤²"), st.sampled_from(["only", "first", "last"]))
def test_any_text_has_a_score(text: str, pick: str) -> None:
    assert score(text, "5", pick=pick, relative_tolerance=0.1) in (0, 1)
    assert score("5", text, pick=pick, absolute_tolerance=0.1) in (0, 1)


@given(st.text("0123456789.,/%e- x\n"))
def test_the_last_word_holds_the_number_that_a_full_search_finds(text: str) -> None:
    numbers = [reading for word in text.replace("\n", " ").split(" ") if (reading := last(word))]
    found = last(text)
    assert (found and found.value) == (numbers[-1].value if numbers else None)
