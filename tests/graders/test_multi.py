import pytest

from graders import Grade, GraderError, grade, item_columns, parse

EXACT = {"type": "string_check", "reference": "{{ item.answer }}"}
CLOSE = {"type": "text_similarity", "reference": "{{ item.answer }}"}


def graded(grader: dict[str, object], text: str, **item: object) -> Grade:
    return grade(parse(grader), [{"output_text": text}], [item])[0]


def multi(formula: str, **graders: object) -> dict[str, object]:
    return {"type": "multi", "graders": graders, "calculate_output": formula}


def test_the_score_is_the_formula_over_the_parts_and_every_part_has_its_receipt() -> None:
    receipt = graded(multi("0.8 * exact + 0.2 * close", exact=EXACT, close=CLOSE), "abcd", answer="abce")
    assert receipt.score == pytest.approx(0.15)
    assert {name: part.score for name, part in receipt.sub.items()} == {"exact": 0.0, "close": 0.75}
    assert receipt.sub["close"].type == "text_similarity"
    assert receipt.type == receipt.name == "multi"


def test_scores_are_not_clamped() -> None:
    assert graded(multi("10 * exact - 20", exact=EXACT), "a", answer="a").score == -10
    assert graded(multi("exact + 4", exact=EXACT), "a", answer="a").score == 5


def test_what_is_wrong_with_a_part_is_flagged_on_the_whole_by_its_name() -> None:
    receipt = graded(multi("a + b + c", a=EXACT, b=CLOSE, c={"type": "number"}), "5", reference=5)
    assert receipt.score == 1
    assert receipt.errors == {
        "invalid_variable_error": True,
        "invalid_variable_error_details": "a: There is no “item.answer” here. b: There is no “item.answer” here.",
    }
    assert receipt.sub["c"].errors == {}


def test_a_formula_without_a_value_scores_0_and_says_why() -> None:
    receipt = graded(multi("1 / exact", exact=EXACT), "a", answer="b")
    assert receipt.score == 0
    assert receipt.errors == {
        "formula_parse_error": True,
        "formula_parse_error_details": "The formula “1 / exact” divides by zero with exact = 0.",
    }
    assert receipt.sub["exact"].errors == {}


def test_what_has_no_value_gets_the_score_that_was_set_for_it() -> None:
    receipt = graded(multi("1 / exact", exact=EXACT) | {"invalid_grade": -1}, "a", answer="b")
    assert receipt.score == -1
    assert receipt.errors["formula_parse_error"] is True


def test_one_sample_without_a_value_harms_no_other() -> None:
    grader = parse(multi("1 / exact", exact=EXACT))
    receipts = grade(grader, [{"output_text": text} for text in "aba"], [{"answer": "a"}] * 3)
    assert [receipt.score for receipt in receipts] == [1, 0, 1]


def test_a_part_that_the_formula_leaves_out_is_graded_all_the_same() -> None:
    assert graded(multi("exact", exact=EXACT, close=CLOSE), "a", answer="a").sub["close"].score == 1


def test_multi_in_multi_keeps_every_receipt() -> None:
    inner = multi("exact * 2", exact=EXACT)
    receipt = graded(multi("inner + exact", inner=inner, exact=EXACT), "a", answer="a")
    assert receipt.score == 3
    assert receipt.sub["inner"].sub["exact"].score == 1


def test_the_parts_have_thresholds_of_their_own() -> None:
    receipt = graded(
        multi("close", close=CLOSE | {"pass_threshold": 0.5}) | {"pass_threshold": 0.9}, "abcd", answer="abce"
    )
    assert receipt.passed is False
    assert receipt.sub["close"].passed is True


def test_the_columns_of_all_parts_are_listed() -> None:
    inner = multi("a", a={"type": "string_check", "reference": "{{ item.x.y }} {{ item.z }}"})
    pattern = {"type": "regex", "pattern": "a", "input": "{{ item['long name'] }}"}
    grader = parse(multi("inner + p + n", inner=inner, p=pattern, n={"type": "number"}))
    assert item_columns(grader) == {"x", "z", "long name", "reference"}


def test_a_hundred_parts_are_fine() -> None:
    parts: dict[str, object] = {f"g{n}": EXACT for n in range(100)}
    assert graded(multi(" + ".join(parts), **parts), "a", answer="a").score == 100


def test_a_part_that_is_switched_off_is_kept_and_does_not_run() -> None:
    grader = parse(multi("0.8 * exact + 0.2 * close", exact=EXACT, close=CLOSE) | {"disabled": ["exact"]})
    receipt = grade(grader, [{"output_text": "abcd"}], [{"answer": "abce"}])[0]
    assert receipt.score == pytest.approx(0.15)
    assert [*receipt.sub] == ["close"]
    assert "exact" in grader.model_dump()["graders"]


def test_what_is_switched_off_reads_no_column() -> None:
    other = {"type": "string_check", "reference": "{{ item.other }}"}
    grader = multi("a + b", a=EXACT, b=other)
    assert item_columns(parse(grader)) == {"answer", "other"}
    assert item_columns(parse(grader | {"disabled": ["b"]})) == {"answer"}


def test_not_everything_can_be_switched_off() -> None:
    for formula, disabled in (("a + b", ["a", "b"]), ("2 * a", ["a"])):
        with pytest.raises(GraderError, match="switch one grader on"):
            parse(multi(formula, a=EXACT, b=CLOSE) | {"disabled": disabled})


def test_only_parts_can_be_switched_off() -> None:
    with pytest.raises(GraderError, match="did you mean close") as raised:
        parse(multi("close", close=CLOSE) | {"disabled": ["clse"]})
    assert raised.value.problems[0].path == "disabled"


def test_nothing_switched_off_leaves_no_trace_in_the_json() -> None:
    grader = parse(multi("close", close=CLOSE) | {"disabled": []})
    assert "disabled" not in grader.model_dump(exclude_none=True)
